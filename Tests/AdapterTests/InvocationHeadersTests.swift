import Foundation
import SluiceTestSupport
import Testing

@testable import Sluice
@testable import SluiceCore

/// What Lambda says of an invocation in the headers of `next`: nothing is made of what is empty or absent.
@Suite struct InvocationHeadersTests {
    @Test(
        "case 92: a Cognito header without an identity is as good as none",
        arguments: ["{}", "", #"{"cognitoIdentityId":null}"#, nil])
    func noIdentity(_ value: String?) async throws {
        var event = MockRuntimeAPI.Event(eventJSON())
        event.headers = ["Lambda-Runtime-Cognito-Identity": value]
        let seen = Collected<CognitoIdentity?>()
        let served = await serve(
            app { request in
                seen.add(request.lambda?.cognitoIdentity)
                return .text("fine")
            }, [event])
        #expect(seen.values == [nil])
        #expect(served.failures.isEmpty && served.posts.first?.target.hasSuffix("/response") == true)
    }

    @Test("case 93: the tenant is that of the header; an empty one is as good as none", arguments: ["123", "", nil])
    func tenant(_ value: String?) async throws {
        var event = MockRuntimeAPI.Event(eventJSON())
        event.headers = ["Lambda-Runtime-Aws-Tenant-Id": value]
        let seen = Collected<[String?]>()
        _ = await serve(
            app { request in
                seen.add([request.lambda?.tenantID, InvocationScope.current?.tenantID])
                return .text("fine")
            }, [event])
        let expected = value == "123" ? value : nil
        #expect(seen.values == [[expected, expected]])
    }

    @Test("case 94: without a trace header there is no trace: none is made up", arguments: ["", nil])
    func noTrace(_ value: String?) async throws {
        var event = MockRuntimeAPI.Event(eventJSON())
        event.headers = ["Lambda-Runtime-Trace-Id": value]
        let seen = Collected<[String?]>()
        let served = await serve(
            app { request in
                seen.add([request.lambda?.traceID, InvocationScope.current?.traceID])
                return .text("fine")
            }, [event])
        #expect(seen.values == [[nil, nil]])
        #expect(served.failures.isEmpty && served.posts.count == 1)
    }

    @Test("case 94: one worker has the invocation's trace in the environment while its handler runs")
    func traceVariable() async {
        // A process of its own: the variable is one for all of a process.
        await #expect(processExitsWith: .success) {
            var (first, second) = (MockRuntimeAPI.Event(eventJSON(), id: "1"), MockRuntimeAPI.Event(eventJSON(), id: "2"))
            first.headers = ["Lambda-Runtime-Trace-Id": "Root=1-first"]
            second.headers = ["Lambda-Runtime-Trace-Id": nil]
            let seen = Collected<String>()
            _ = await serve(
                app { _ in
                    seen.add(getenv("_X_AMZN_TRACE_ID").map { String(cString: $0) } ?? "none")
                    return .text("fine")
                }, [first, second])
            #expect(seen.values == ["Root=1-first", ""])
        }
    }
}
