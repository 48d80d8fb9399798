import Foundation
import SluiceTestSupport
import Testing

/// A frozen program with an internal extension under the local Lambda, when that ends.
@Suite(.serialized) struct LastWordsTests {
    /// Not written by a test: what another test spawns at that moment keeps the file open, and nobody can execute it.
    private static let program = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .appending(path: "Fixtures/last-words").path

    @Test("it is thawed, warned, and heard", arguments: [SIGINT, SIGTERM, SIGHUP])
    func heard(_ signal: Int32) async throws {
        let local = try #require(try LocalProgram("Hello", ["SLUICE_LOCAL_PROGRAM": Self.program]))
        let child = try #require(local.child, "\(local.program.console) \(local.program.errors)")
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
