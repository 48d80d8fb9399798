import Foundation
import SluiceTestSupport
import Testing

/// The example that reports, as a real process under the local Lambda, freeze on; its reports go to the local inbox.
@Suite(.serialized) struct ReportingProgramTests {
    private func app(_ mode: String = "buffered", _ environment: [String: String] = [:]) throws -> LocalProgram {
        let settings = ["SLUICE_LOCAL_TIMEOUT": "4"]
        return try #require(try LocalProgram("Reporting", mode: mode, settings.merging(environment) { $1 }))
    }

    private func maps(_ local: LocalProgram) throws -> String {
        // Line by line: Foundation takes the first page of such a file for the whole.
        let child = try #require(local.child)
        let file = try #require(fopen("/proc/\(child)/maps", "r"))
        defer { fclose(file) }
        var text = ""
        var buffer = [CChar](repeating: 0, count: 4096)
        while fgets(&buffer, 4096, file) != nil {
            text += String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        }
        #expect(text.contains("libc.so"))
        return text
    }

    /// In kB.
    private func resident(_ local: LocalProgram) throws -> Int {
        let status = try String(contentsOfFile: "/proc/\(try #require(local.child))/status", encoding: .utf8)
        let line = try #require(status.split(separator: "\n").first { $0.hasPrefix("VmRSS:") })
        return try #require(line.split(whereSeparator: \.isWhitespace).dropFirst().first.flatMap { Int($0) })
    }

    @Test("without a DSN nothing is sent, and libcurl is never loaded; with one it is")
    func noDSN() throws {
        let silent = try app("buffered", ["SENTRY_DSN": ""])
        #expect(silent.get("/fail?n=1")?.status == 500)
        #expect(silent.program.errorLine(containing: "failed with 500") != nil)
        #expect(silent.records().count == 1)
        #expect(!(try maps(silent)).contains("libcurl"))
        #expect(!silent.program.console.contains { $0.contains("report") })

        let local = try #require(try LocalProgram("Failures"))
        #expect(local.get("/fine")?.text == "fine")
        #expect(local.get("/throw")?.status == 500)
        #expect(try maps(local).contains("libcurl"))
    }

    @Test("the console shows each report: what, where, and when it came", arguments: ["buffered", "response_stream"])
    func inbox(_ mode: String) throws {
        let local = try app(mode)
        #expect(local.get("/fail?n=1&plan=gold")?.status == 500)
        let line = try #require(local.program.line(containing: "before the response ended"))
        #expect(line.contains("OutOfStock: OutOfStock(item: \"n=1 \")"))
        #expect(line.contains("Reporting.swift:"))
        #expect(line.contains("plan=gold"))
        #expect(!local.program.errors.contains { $0.contains("REPORT LOST") })
    }

    @Test(
        "with a rate of traces each request is a transaction, delivered before its end",
        arguments: ["buffered", "response_stream"])
    func transactions(_ mode: String) throws {
        let local = try app(mode, ["SENTRY_TRACES_SAMPLE_RATE": "1"])
        #expect(local.get("/fine")?.status == 200)
        #expect(local.program.line(containing: "trace  GET /fine  ok")?.contains("1 spans  ") == true)
        #expect(local.get("/fail?n=1")?.status == 500)
        let line = try #require(local.program.line(containing: "trace  GET /fail  internal_error"))
        #expect(line.contains("before the response ended"))
        #expect(!local.program.errors.contains { $0.contains("REPORT LOST") })
    }

    @Test("what a handler sets in a child task of a middleware is the request's")
    func childTask() throws {
        let local = try app()
        #expect(local.get("/limited/fail?plan=gold")?.status == 500)
        let line = try #require(local.program.line(containing: "before the response ended"))
        #expect(line.contains("limited=yes"))
        #expect(line.contains("plan=gold"))
    }

    @Test("case 109: reports go through the environment's proxy, but not to hosts that no_proxy names or to this machine")
    func proxy() throws {
        let proxy = MockIngest()
        defer { proxy.stop() }
        let dsn = "http://key@errors.invalid:8000/1"
        let through = try app("buffered", ["SENTRY_DSN": dsn, "http_proxy": "http://127.0.0.1:\(proxy.port)"])
        #expect(through.get("/fail?n=1")?.status == 500)
        #expect(through.program.errorLine(containing: "2 captured: 2 delivered") != nil)
        #expect(proxy.requests.first?.message.target == "http://errors.invalid:8000/api/1/envelope/")
        let seen = proxy.requests.count
        let settings = ["SENTRY_DSN": dsn, "http_proxy": "http://127.0.0.1:\(proxy.port)", "no_proxy": "other,.invalid"]
        let around = try app("buffered", settings)
        #expect(around.get("/fail?n=2")?.status == 500)
        #expect(around.program.errorLine(containing: "1 spooled") != nil)
        let local = try app("buffered", ["http_proxy": "http://127.0.0.1:\(proxy.port)"])
        #expect(local.get("/fail?n=3")?.status == 500)
        #expect(local.program.line(containing: "before the response ended") != nil)
        #expect(proxy.requests.count == seen)
    }

    @Test("100 reports with symbols let the process grow by 12 MiB at most")
    func growth() throws {
        let local = try app()
        for _ in 1...20 { #expect(local.get("/fine")?.status == 200) }
        let before = try resident(local)
        for number in 1...100 { #expect(local.get("/fail?n=\(number)")?.status == 500) }
        // The report's line: the response's own has the path alone.
        let last = try #require(local.program.line(containing: #"OutOfStock(item: "n=100 ")"#))
        #expect(last.contains("Reporting.swift:"))
        let grown = try resident(local) - before
        #expect(grown <= 12 * 1024, "\(grown) kB more")
    }

    @Test("a time-out's report and its logs leave before its answer", arguments: ["buffered", "response_stream"])
    func timeout(_ mode: String) throws {
        let local = try app(mode)
        #expect(local.get("/story/timeout")?.status == 504)
        let line = try #require(local.program.line(containing: "before the response ended"))
        #expect(line.contains("CancellationError") || line.contains("HandlerTimeout"))
        #expect(local.program.errorLine(containing: "3 captured: 3 delivered") != nil)
    }

    @Test("a handler that blocks its thread: the guard's report leaves before the guard's answer")
    func blocked() throws {
        let local = try #require(try LocalProgram("Failures", ["SLUICE_LOCAL_TIMEOUT": "3"]))
        #expect(local.get("/block")?.status == 504)
        let line = try #require(local.program.line(containing: "before the response ended"))
        #expect(line.contains("HandlerTimeout"))
        // What it has printed before is not lost with the process.
        #expect(local.program.line(containing: "blocking the worker's thread") != nil)
    }

    @Test("the ERROR record of what was thrown says where")
    func stackTrace() throws {
        let local = try app("buffered", ["AWS_LAMBDA_LOG_FORMAT": "JSON"])
        #expect(local.get("/fail?n=1")?.status == 500)
        #expect(local.program.errorLine(containing: "failed with 500") != nil)
        let record = try #require(local.records().first)
        let stack = try #require(record["stackTrace"]?.texts)
        #expect((1...20).contains(stack.count))
        #expect(stack.first?.wholeMatch(of: /Reporting \+ 0x[0-9a-f]+/) != nil, "\(stack)")
        // The second time its names are known: a report has found them out. One that is no app's own may have been left out.
        #expect(local.program.line(containing: "before the response ended") != nil)
        #expect(local.get("/fail?n=2")?.status == 500)
        let again = try #require(Program.observe { local.records().dropFirst().first })
        #expect(again["stackTrace"]?.texts?.first?.contains("Reporting.swift:") == true, "\(again["stackTrace"]?.texts ?? [])")
    }

    @Test("a malformed DSN: one ERROR record that hides the key, and the app runs")
    func malformed() throws {
        let local = try app("buffered", ["SENTRY_DSN": "https://geheim@host:port/1"])
        #expect(local.get("/fail?n=1")?.status == 500)
        #expect(local.get("/fine")?.status == 200)
        #expect(local.program.errorLine(containing: "failed with 500") != nil)
        #expect(local.records().filter { $0["message"]?.text?.contains("SENTRY_DSN") == true }.count == 1)
        #expect(!(local.program.errors + local.program.console).contains { $0.contains("geheim") })
    }
}
