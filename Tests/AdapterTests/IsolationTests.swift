import Foundation
import Logging
import SluiceTestSupport
import Synchronization
import Testing

@testable import SluiceCore
@testable import Sluice
@testable import SluiceReporting

extension GlobalReports {
    /// Cases 80 to 83 at full size: requests that overlap in every way that Swift has, and none has a word of another's.
    @Suite struct IsolationTests {
        /// Lets tasks through in groups: each waits until as many as a group has are there.
        private final class Groups: Sendable {
            private let size: Int
            private let state = Mutex((count: 0, gate: Gate()))

            init(of size: Int) { self.size = size }

            func wait() async {
                let gate = state.withLock { state in
                    let gate = state.gate
                    state.count += 1
                    if state.count % size == 0 {
                        gate.open()
                        state.gate = Gate()
                    }
                    return gate
                }
                await gate.wait()
            }
        }

        private actor Hop {
            func visit(_ name: String) async {
                Reports.addBreadcrumb("\(name): actor")
                await Task.yield()
                Reports.addBreadcrumb("\(name): actor again")
            }
        }

        private struct Failure: Error {
            let name: String
        }

        /// Says who it is, waits for the others to have done so, wanders through all kinds of tasks, and fails: requests of an even
        /// number in a child task, which sets a tag of its own.
        private static func app(overlapping count: Int) -> LambdaApp {
            let (groups, hop) = (Groups(of: count), Hop())
            return LambdaApp.reporting { request in
                let name = String(request.path.dropFirst())
                Reports.setTag("request", name)
                Reports.setTag("own-\(name)", name)
                Reports.setUser(ReportUser(id: name))
                Reports.setContext("own-\(name)", ["name": .string(name)])
                Reports.addBreadcrumb("\(name): set")
                await groups.wait()
                await hop.visit(name)
                async let other: Void = Self.child(name, hop)
                await withTaskGroup(of: Void.self) { group in
                    for _ in 0..<3 { group.addTask { await Self.child(name, hop) } }
                }
                await Task { await Self.child(name, hop) }.value
                await other
                await Reports.withScope {
                    Reports.setTag("request", "forked")
                    await Task.yield()
                }
                guard Int(name).map({ $0 % 2 == 0 }) == true else { throw Failure(name: name) }
                try await withThrowingTaskGroup(of: Void.self) { group in
                    group.addTask {
                        Reports.setTag("thrower", name)
                        await Task.yield()
                        throw Failure(name: name)
                    }
                    try await group.waitForAll()
                }
                return .text("not reached")
            }
        }

        private static func child(_ name: String, _ hop: Hop) async {
            Reports.setTag("request", "child of \(name)")
            Reports.setUser(ReportUser(id: "child of \(name)"))
            Reports.addBreadcrumb("\(name): child")
            await hop.visit(name)
            await Task.yield()
        }

        private static func trace(_ number: Int) -> String {
            let digits = String(number + 1, radix: 16)
            return String(repeating: "0", count: 32 - digits.count) + digits
        }

        private func check(_ ingest: MockIngest, _ count: Int) throws {
            let events = try ingest.failures()
            #expect(events.count == count)
            let names = events.compactMap { $0["request"]?["url"]?.text?.split(separator: "/").last.map(String.init) }
            #expect(Set(names) == Set((0..<count).map { "\($0)" }))
            for (event, name) in zip(events, names) {
                let number = try #require(Int(name))
                let tags = event["tags"]?.dictionary ?? [:]
                #expect(tags["request"] == name)
                #expect(tags.keys.filter { $0.hasPrefix("own-") } == ["own-\(name)"])
                #expect(tags["thrower"] == (number % 2 == 0 ? name : nil))
                #expect(event["user"]?.dictionary == ["id": name])
                #expect((event["contexts"]?.keys ?? []).filter { $0.hasPrefix("own-") } == ["own-\(name)"])
                let trail = event["breadcrumbs"]?["values"]?.elements?.compactMap { $0["message"]?.text } ?? []
                #expect(trail.count == 1 + 2 + 5 * 3)
                #expect(trail.allSatisfy { $0.hasPrefix("\(name): ") }, "\(name): \(trail)")
                #expect(event["contexts"]?["trace"]?["trace_id"]?.text == Self.trace(number))
                #expect(event["exception"]?["values"]?[0]?["value"]?.text == "Failure(name: \"\(name)\")")
            }
        }

        @Test("cases 80, 81: 64 requests that overlap on one thread: 64 reports, and nothing in them is another's")
        func oneThread() async throws {
            let ingest = MockIngest()
            let logger = Logger(label: "sluice") { _ in SwiftLogNoOpLogHandler() }
            let app = Self.app(overlapping: 64)
            try await withReports(app.chain.reporters.resolved(["SENTRY_DSN": ingest.dsn]), to: ingest, logger) { reporters in
                let loop = try EventLoop()
                try loop.start("test")
                await withTaskGroup(of: Void.self) { group in
                    for number in 0..<64 {
                        group.addTask {
                            let state = InvocationScope.State()
                            let box = ReportingScope()
                            let scope = InvocationScope(requestID: "\(number)", state: state, follower: box)
                            let status = await Task(executorPreference: loop) {
                                scope.claim()
                                return await InvocationScope.$current.withValue(scope) {
                                    var request = Request(.get, "/\(number)")
                                    request.headers[HTTPField.Name("sentry-trace")!] =
                                        "\(Self.trace(number))-00000000000000aa-1"
                                    let response = await app.chain.respond(to: request)
                                    await app.chain.complete(response, of: request, reporters)
                                    return response.status
                                }
                            }.value
                            #expect(status == .internalServerError)
                            #expect(
                                box.ledger.now
                                    == {
                                        var all = ReportLedger(); all.delivered = 1; return all
                                    }())
                        }
                    }
                }
                loop.stop()
            }
            ingest.stop()
            try check(ingest, 64)
        }

        @Test(
            "cases 80, 81, 83: 65 invocations over five workers, five at a time: 65 reports, and nothing in them is another's")
        func fiveWorkers() async throws {
            let ingest = MockIngest()
            let events = (0..<65).map { number in
                MockRuntimeAPI.Event(
                    eventJSON(path: "/\(number)", headers: ["sentry-trace": "\(Self.trace(number))-00000000000000aa-1"]),
                    id: "id-\(number)")
            }
            let api = await serve(
                Self.app(overlapping: 5), events, to: ingest, environment: ["AWS_LAMBDA_MAX_CONCURRENCY": "5"])
            ingest.stop()
            #expect(api.posts.count == 65)
            try check(ingest, 65)
            for event in try ingest.failures() {
                let id = event["contexts"]?["aws.lambda"]?["aws_request_id"]?.text
                #expect(event["request"]?["url"]?.text?.hasSuffix("/\(id?.dropFirst(3) ?? "")") == true)
            }
        }

        @Test("case 83: the second invocation in a sandbox has nothing of the first")
        func second() async throws {
            let ingest = MockIngest()
            let app = LambdaApp.reporting { request in
                if request.path == "/first" {
                    Reports.setTag("first", "1")
                    Reports.setUser(ReportUser(id: "first"))
                    Reports.setContext("first", ["a": 1])
                    Reports.setLevel(.fatal)
                    Reports.setFingerprint(["first"])
                    Reports.addBreadcrumb("first")
                }
                throw Boom()
            }
            let events = ["/first", "/second"].map { MockRuntimeAPI.Event(eventJSON(path: $0), id: String($0.dropFirst())) }
            _ = await serve(app, events, to: ingest)
            ingest.stop()
            let reports = try ingest.failures()
            try #require(reports.count == 2)
            #expect(reports[0]["tags"]?["first"]?.text == "1")
            #expect(reports[0]["level"]?.text == "fatal")
            #expect(reports[0]["fingerprint"]?.texts == ["first"])
            #expect(reports[1]["tags"]?.keys == ["outcome"])
            #expect(reports[1]["level"]?.text == "error")
            for key in ["user", "breadcrumbs", "fingerprint"] {
                #expect(reports[0].keys.contains(key))
                #expect(!reports[1].keys.contains(key))
            }
            #expect(reports[1]["contexts"]?.keys.contains("first") == false)
            let traces = reports.map { $0["contexts"]?["trace"]?["trace_id"]?.text }
            #expect(traces[0] != nil && traces[1] != nil && traces[0] != traces[1])
            #expect(reports.map { $0["contexts"]?["aws.lambda"]?["cold_start"]?.flag } == [true, false])
        }
    }
}
