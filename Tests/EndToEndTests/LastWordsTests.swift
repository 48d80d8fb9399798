import Foundation
import SluiceTestSupport
import Testing

/// A frozen program with an internal extension under the local Lambda, when that ends.
@Suite(.serialized) struct LastWordsTests {
    /// Registers, waits for an invocation, and on SIGTERM sends a report before it ends with status 7.
    private static let script = """
        #!/bin/bash
        api=${AWS_LAMBDA_RUNTIME_API##*:}
        ingest=${SENTRY_DSN##*:}
        ingest=${ingest%%/*}
        last_words() {
            body=$'{}\\n{"type":"event"}\\n{"message":"last words"}\\n'
            exec 6<>/dev/tcp/127.0.0.1/$ingest
            printf 'POST /api/1/envelope/?sentry_key=k HTTP/1.1\\r\\nHost: x\\r\\nContent-Length: %d\\r\\n\\r\\n%s' ${#body} "$body" >&6
            read -r line <&6
            exit 7
        }
        trap last_words TERM
        exec 3<>/dev/tcp/127.0.0.1/$api
        printf 'POST /2020-01-01/extension/register HTTP/1.1\\r\\nHost: x\\r\\nLambda-Extension-Name: watcher\\r\\n' >&3
        printf 'Content-Length: 13\\r\\n\\r\\n{"events":[]}' >&3
        while IFS=$' \\r' read -r name value <&3; do
            if [ "$name" = "Lambda-Extension-Identifier:" ]; then id=$value; break; fi
        done
        exec 4<>/dev/tcp/127.0.0.1/$api
        printf 'GET /2020-01-01/extension/event/next HTTP/1.1\\r\\nHost: x\\r\\nLambda-Extension-Identifier: %s\\r\\n\\r\\n' "$id" >&4
        exec 5<>/dev/tcp/127.0.0.1/$api
        printf 'GET /2018-06-01/runtime/invocation/next HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n' >&5
        while :; do sleep 0.01; done
        """

    @Test("it is thawed, warned, and heard", arguments: [SIGINT, SIGTERM, SIGHUP])
    func heard(_ signal: Int32) async throws {
        let folder = TemporaryFolder()
        let path = "\(folder.path)/bootstrap"
        try Data(Self.script.utf8).write(to: URL(fileURLWithPath: path))
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: path)
        let local = try #require(try LocalProgram("Hello", in: folder, ["SLUICE_LOCAL_PROGRAM": path]))
        let child = try #require(local.child)
        try #require(Program.observe { Program.entry(child)?.state == "T" ? true : nil } == true)
        // Ctrl-C at a terminal reaches the parent only.
        #expect(getpgid(child) == child)
        local.program.signal(signal)
        #expect(await local.program.end() == 128 + signal)
        #expect(local.program.line(containing: "report  last words  error") != nil)
        #expect(local.program.line(containing: "shutdown: the app got SIGTERM and exited with status 7 after ") != nil)
        #expect(Program.entry(child) == nil)
    }

    @Test("case 102: an app that reports errors is an extension, and ends on SIGTERM, frozen as it was")
    func anApp() async throws {
        let local = try #require(try LocalProgram("Hello"))
        #expect(local.get("/hello/World")?.status == 200)
        let child = try #require(local.child)
        try #require(Program.observe { Program.entry(child)?.state == "T" ? true : nil } == true)
        local.program.signal(SIGINT)
        #expect(await local.program.end() == 128 + SIGINT)
        #expect(local.program.line(containing: "shutdown: the app got SIGTERM and exited with status 0 after ") != nil)
        #expect(Program.entry(child) == nil)
    }

    @Test("without a reporter an app is no extension, and is killed at once")
    func noReporter() async throws {
        let local = try #require(try LocalProgram("Hello", ["SENTRY_DSN": ""]))
        #expect(local.get("/hello/World")?.status == 200)
        local.program.signal(SIGINT)
        #expect(await local.program.end() == 128 + SIGINT)
        #expect(!local.program.console.contains { $0.contains("shutdown:") })
    }
}
