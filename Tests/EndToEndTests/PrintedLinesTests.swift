import SluiceTestSupport
import Testing

/// What a handler prints, beside what it logs.
@Suite(.serialized) struct PrintedLinesTests {
    @Test("print and log come in the order in which they were made, and a line left open ends with its invocation")
    func order() throws {
        let local = try #require(try LocalProgram("Mirror", joins: true))
        #expect(local.get("/lines")?.text == "said")
        // No other request: the app is frozen by now, or soon.
        #expect(local.program.line(containing: "left open") == "left open")
        let lines = local.program.console.compactMap { line in
            line.hasPrefix("printed ") ? line : JSONView(Array(line.utf8))?["message"]?.text
        }
        #expect(lines == (1...20).flatMap { ["printed \($0)", "logged \($0)"] })
        // What is whole has no empty line behind it.
        #expect(!local.program.console.contains(""))
    }
}
