import FoundationEssentials
import SluiceTestSupport
import Testing

@testable import SluiceCore
@testable import SluiceReporting
@testable import SluiceSentry

/// The stack of a report is that of the throw: who threw, and who called, over `await`s too.
@Suite(.serialized) struct ThrowStackTests {
    private struct Plain: Error {}
    private struct Typed: Error, Equatable { var number: Int }

    /// The functions of this file in the stack of what `body` throws, innermost first.
    private func functions(
        options change: (inout ReportOptions) -> Void = { _ in }, _ body: @escaping @Sendable () async throws -> Void
    ) async throws -> [String] {
        try await withReports(change) { ingest, _ in
            await InvocationScope.$current.withValue(InvocationScope(requestID: "r")) {
                do {
                    try await body()
                } catch {
                    Reports.capture(error)
                }
                _ = await Reports.flush(within: .seconds(20))
            }
            let event = try #require(try ingest.events().last)
            let frames = try #require(event["exception"]?["values"]?.elements?.last?["stacktrace"]?["frames"]?.elements)
            #expect(event["debug_meta"]?["images"]?.count ?? 0 > 0)
            #expect(frames.allSatisfy { $0["instruction_addr"]?.text?.hasPrefix("0x") == true })
            return frames.reversed().filter { $0["filename"]?.text == "ThrowStackTests.swift" }
                .compactMap { $0["function"]?.text }
        }
    }

    @inline(never) private static func deep() throws { throw Plain() }
    @inline(never) private static func deepTyped(_ number: Int) throws(Typed) { throw Typed(number: number) }

    @inline(never) private static func middle() async throws {
        await Task.yield()
        try deep()
    }

    @inline(never) private static func outer() async throws {
        try await middle()
        await Task.yield()
    }

    @inline(never) private static func first() async throws {
        try await second()
        await Task.yield()
    }

    @inline(never) private static func second() async throws {
        try await third()
        await Task.yield()
    }

    @inline(never) private static func third() async throws {
        try await middle()
        await Task.yield()
    }

    @inline(never) private static func typedMiddle() async throws {
        await Task.yield()
        try deepTyped(7)
    }

    @inline(never) private static func rethrowing() async throws {
        do {
            try await middle()
        } catch {
            throw error
        }
    }

    @inline(never) private static func decoding() throws {
        _ = try JSONDecoder().decode([Int].self, from: Data("{".utf8))
    }

    private func place(of name: String, in functions: [String]) throws -> Int {
        try #require(functions.firstIndex { $0.contains(name) }, "\(name) in \(functions)")
    }

    @Test("async callers follow each other, the thrower first")
    func chain() async throws {
        let functions = try await functions { try await Self.outer() }
        #expect(try place(of: "deep()", in: functions) == 0)
        #expect(try place(of: "middle()", in: functions) < place(of: "outer()", in: functions))
    }

    /// Where addresses have 48 bits (arm64) as where they have 47, and whether return addresses are signed or not: scripts/arm64.
    @Test("over three awaits the names are exactly those that were called, in order")
    func threeAwaits() async throws {
        let functions = try await functions { try await Self.first() }
        let names = ["deep()", "middle()", "third()", "second()", "first()"]
        #expect(functions.prefix(5) == names.map { "static ThrowStackTests.\($0)" }[...])
    }

    @Test("a typed throw has its stack, though it has no box of its own")
    func typed() async throws {
        let functions = try await functions { try await Self.typedMiddle() }
        #expect(try place(of: "deepTyped(_:)", in: functions) == 0)
        _ = try place(of: "typedMiddle()", in: functions)
    }

    @Test("what is thrown again keeps the stack of its first throw")
    func rethrown() async throws {
        let functions = try await functions { try await Self.rethrowing() }
        #expect(try place(of: "deep()", in: functions) == 0)
    }

    @Test("an error that Foundation throws leads to the line that called it")
    func foundation() async throws {
        let functions = try await functions { try Self.decoding() }
        _ = try place(of: "decoding()", in: functions)
    }

    @Test("what the reporting itself throws, while it reads a body, leaves the places of the app's throws alone")
    func ownThrows() async throws {
        let functions = try await functions(options: { $0.sendDefaultPII = true }) {
            // No JSON, which the reader says by throwing.
            let body = Array("[\((0..<20).map { #"{"name":"\#($0)"}"# }.joined(separator: ",")),".utf8)
            Reports.currentScope?.began {
                RequestSummary(
                    method: "POST", url: "https://x/", query: [], headers: [("content-type", "application/json")],
                    body: body, remoteAddress: nil)
            }
            do {
                try Self.deep()
            } catch {
                Reports.capture("another one, with the request's body")
                throw error
            }
        }
        #expect(try place(of: "deep()", in: functions) == 0)
    }

    @Test("what is a library is told by its file's name, not by the folder it lies in")
    func libraries() {
        #expect(Symbols.isLibrary(path: "/usr/lib/libswiftCore.so"))
        #expect(Symbols.isLibrary(path: "/lib64/libc.so.6"))
        #expect(!Symbols.isLibrary(path: "/home/me/my.so.called.app/bootstrap"))
        #expect(!Symbols.isLibrary(path: "/var/task/bootstrap"))
        #expect(!Symbols.isLibrary(path: "/var/task/my.soap"))
    }

    @Test(
        "a name is as a person would write it",
        arguments: [
            (
                "closure #2 nonisolated(nonsending) @Sendable (A.Request) async throws -> Swift.String in static Shop.Shop.routes() -> A.Router",
                "closure #2 in static Shop.routes()"
            ),
            ("A.Worker.(serve in _77CD4A)(A.Invocation, to: A.Client) async throws -> ()", "Worker.serve(_:to:)"),
            ("(2) await resume partial function for A.f(id: Swift.Int) async -> ()", "f(id:)"),
            ("generic specialization <Swift.Int> of A.g<A>(A) -> A", "g(_:)"),
            ("main", "main"), ("", ""), ("(((", "((("), ("closure #1", "closure #1"),
        ])
    func names(_ name: String, _ short: String) {
        #expect(FunctionName.short(name) == short)
    }
}
