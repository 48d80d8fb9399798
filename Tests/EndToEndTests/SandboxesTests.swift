import Foundation
import SluiceTestSupport
import Testing

/// Several sandboxes under the local Lambda, as they are by default: real processes, freeze on.
@Suite(.serialized) struct SandboxesTests {
    private func streams(_ environment: [String: String] = [:]) throws -> LocalProgram {
        let settings = ["SLUICE_LOCAL_SANDBOXES": ""].merging(environment) { $1 }
        return try #require(try LocalProgram("Streams", mode: "response_stream", settings))
    }

    /// An event stream that has begun.
    private func listen(_ local: LocalProgram, _ target: String = "/room", _ first: String = "data: welcome\n\n") throws
        -> RawSocket
    {
        let socket = try #require(RawSocket.connect(port: local.port))
        socket.write("GET \(target) HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        #expect(read(socket, until: first))
        return socket
    }

    private func read(_ socket: RawSocket, until text: String) -> Bool {
        var seen = ""
        while !seen.contains(text) {
            let part = socket.read()
            if part.isEmpty { return false }
            seen += String(decoding: part, as: UTF8.self)
        }
        return true
    }

    private func isFrozen(_ process: Int32) -> Bool { Program.entry(process)?.state == "T" }

    /// The processes that are not in `others`.
    private func children(_ local: LocalProgram, but others: [Int32] = []) -> [Int32] {
        local.program.children.filter { !others.contains($0) }
    }

    @Test("open event streams block nobody; each has a process of its own, and the idle one is frozen")
    func openStreams() throws {
        let local = try streams()
        let first = try #require(local.child)
        let one = try listen(local, "/ticks?count=100", "id: 0\n")
        #expect(children(local) == [first])
        let two = try listen(local)
        let busy = children(local)
        #expect(busy.count == 2)
        for number in 1...5 { #expect(local.get("/export?rows=\(number)")?.status == 200) }
        let others = children(local, but: busy)
        #expect(!others.isEmpty)
        for process in others { #expect(Program.observe { isFrozen(process) ? true : nil } == true) }
        #expect(!busy.contains { isFrozen($0) })
        #expect(local.report("/export?rows=1")?.hasSuffix("  sandbox 3") == true)
        #expect(read(one, until: "id: "))
        _ = two
    }

    @Test("a client that goes away leaves its sandbox to the function; others are served")
    func disconnects() throws {
        let local = try streams(["SLUICE_LOCAL_SANDBOXES": "2"])
        let gone = try listen(local, "/ticks?count=100", "id: 0\n")
        gone.shutdown()
        for _ in 0..<10 { #expect(local.get("/export?rows=1")?.status == 200) }
        #expect(children(local).count == 2)
    }

    @Test("beyond the limit a request waits, and a line says so")
    func limit() throws {
        let local = try streams(["SLUICE_LOCAL_SANDBOXES": "2", "SLUICE_LOCAL_TIMEOUT": "4"])
        let open = try [listen(local), listen(local)]
        let waiting = try #require(RawSocket.connect(port: local.port))
        waiting.write("GET /export?rows=1 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        #expect(local.program.line(containing: "all 2 sandboxes are in use: GET /export?rows=1 waits") != nil)
        // Until a stream is ended at its deadline.
        #expect(WireReader(waiting).next()?.status == 200)
        #expect(children(local).count <= 2)
        _ = open
    }

    @Test("a sandbox that dies takes nobody else with it, and is replaced")
    func dies() throws {
        let local = try streams()
        let first = try #require(local.child)
        let stream = try listen(local, "/ticks?count=100", "id: 0\n")
        let room = try listen(local)
        let second = try #require(children(local, but: [first]).first)
        kill(second, SIGKILL)
        #expect(!room.readToEnd().ends(with: "0\r\n\r\n"))
        // Told below the invocation, or apart from it where the end of its connection was seen before that of the process.
        let told = Program.observe {
            (local.program.console + local.program.errors).first { $0.contains("the app was ended by signal 9") }
        }
        #expect(told != nil)
        for _ in 0..<5 { #expect(local.get("/export?rows=1")?.status == 200) }
        #expect(children(local).count == 2)
        #expect(Program.entry(first) != nil)
        #expect(read(stream, until: "id: "))
    }

    @Test("a report comes below the invocation whose sandbox sent it")
    func reports() throws {
        let local = try #require(
            try LocalProgram("Failures", mode: "response_stream", ["SLUICE_LOCAL_SANDBOXES": "", "SLUICE_LOCAL_TIMEOUT": "20"]))
        let stream = try listen(local, "/stream/slow", "begun ")
        #expect(local.get("/throw")?.status == 500)
        let report = try #require(local.report("/throw")).split(separator: "\n")
        #expect(report.first?.contains("reports 1") == true && report.first?.hasSuffix("  sandbox 2") == true)
        #expect(report.dropFirst().first?.contains("before the response ended") == true)
        #expect(!local.program.errors.contains { $0.contains("REPORT LOST") })
        _ = stream
    }

    @Test("no process is left behind of four, however the parent ends", arguments: [SIGINT, SIGTERM, SIGKILL, SIGHUP])
    func nothingLeft(_ signal: Int32) async throws {
        let local = try streams()
        let open = try [listen(local), listen(local), listen(local)]
        #expect(local.get("/export?rows=1")?.status == 200)
        let all = children(local)
        #expect(all.count == 4)
        #expect(Program.observe { all.contains { isFrozen($0) } ? true : nil } == true)
        local.program.signal(signal)
        #expect(await local.program.end() == (signal == SIGKILL ? -signal : 128 + signal))
        for process in all {
            #expect(Program.observe { Program.entry(process).map { $0.state == "Z" } ?? true ? true : nil } == true)
        }
        if signal != SIGKILL {
            func told() -> Int { local.program.console.count { $0.hasPrefix("shutdown: ") } }
            #expect(Program.observe { told() == 4 ? true : nil } == true)
        }
        _ = open
    }
}

extension [UInt8] {
    fileprivate func ends(with text: String) -> Bool { suffix(text.utf8.count).elementsEqual(text.utf8) }
}
