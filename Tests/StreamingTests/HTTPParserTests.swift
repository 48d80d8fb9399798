import Testing

@testable import SluiceCore
@testable import SluiceStreaming

@Suite struct HTTPParserTests {
    private static let request =
        "POST /a?b=c HTTP/1.1\r\nHost: x\r\nX-Two: 1\r\nx-two: 2\r\nX-Empty:\r\nTransfer-Encoding: chunked\r\nTrailer: T-One\r\n\r\n"
        + "3\r\nabc\r\nA\r\n0123456789\r\n0\r\nT-One: done\r\n\r\n"

    @Test(
        "a chunk's size is written as Swift writes it in hexadecimal digits",
        arguments: [1, 9, 10, 15, 16, 255, 256, 65_535, 6_291_556, .max])
    func chunkSize(_ count: Int) {
        #expect(String(decoding: HTTPWriter.chunkSize(count), as: UTF8.self) == String(count, radix: 16) + "\r\n")
    }

    @Test("a message is the same whole and in pieces of any size", arguments: [1, 2, 3, 7, 1000])
    func pieces(_ size: Int) throws {
        let bytes = Array(Self.request.utf8)
        let parser = HTTPParser(.request)
        var body: [UInt8] = []
        var start = 0
        while start < bytes.count {
            let end = min(start + size, bytes.count)
            start += try parser.parse(bytes[start..<end])
            body += parser.takeBody()
        }
        let head = try #require(parser.head)
        #expect(head.method == "POST")
        #expect(head.target == "/a?b=c")
        #expect(head.lines.map(\.name) == ["host", "x-two", "x-two", "x-empty", "transfer-encoding", "trailer"])
        #expect(head.lines.map(\.value) == ["x", "1", "2", "", "chunked", "T-One"])
        #expect(String(decoding: body, as: UTF8.self) == "abc0123456789")
        #expect(parser.isComplete)
        #expect(parser.trailers == [HTTPLine("t-one", "done")])
    }

    @Test("parsing stops at the end of a message; the rest is the next one's")
    func pipelined() throws {
        let one = Array("HTTP/1.1 202 Accepted\r\nContent-Length: 2\r\n\r\nok".utf8)
        let parser = HTTPParser(.response)
        let used = try parser.parse((one + one)[...])
        #expect(used == one.count)
        #expect(parser.isComplete && parser.head?.status == 202 && parser.head?.keepsAlive == true)
        parser.reset()
        #expect(try parser.parse(one[...]) == one.count)
        #expect(parser.takeBody() == Array("ok".utf8))
    }

    @Test("a response without a length ends with the connection; a cut one is an error")
    func untilClose() throws {
        let parser = HTTPParser(.response)
        _ = try parser.parse(Array("HTTP/1.1 200 OK\r\n\r\nabc".utf8)[...])
        #expect(!parser.isComplete)
        try parser.finish()
        #expect(parser.isComplete)
        let cut = HTTPParser(.response)
        _ = try cut.parse(Array("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabc".utf8)[...])
        #expect(throws: HTTPParseError.self) { try cut.finish() }
    }

    @Test(
        "what is not HTTP/1.1 is an error",
        arguments: [
            "hello\r\n\r\n", "GET /\r\n\r\n", "GET / HTTP/1.1\r\nA b: c\r\n\r\n",
            "GET / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
            "GET / HTTP/1.1\r\nContent-Length: -1\r\n\r\n", "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
            "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\nabc",
        ])
    func malformed(_ text: String) {
        let parser = HTTPParser(.request)
        #expect(throws: HTTPParseError.self) { _ = try parser.parse(Array(text.utf8)[...]) }
    }

    @Test("a request behind one that asked for an upgrade is read")
    func upgrade() throws {
        let one = Array("GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n".utf8)
        let parser = HTTPParser(.request)
        for _ in 0..<3 {
            var used = 0
            while !parser.isComplete, used < one.count { used += try parser.parse(one[used...]) }
            #expect(parser.isComplete && parser.head?.target == "/")
            parser.reset()
        }
    }

    @Test("a head over 64 KiB is refused")
    func longHead() {
        let parser = HTTPParser(.request)
        let text = "GET / HTTP/1.1\r\nX: " + String(repeating: "a", count: 70_000) + "\r\n\r\n"
        #expect(throws: HTTPParseError.self) { _ = try parser.parse(Array(text.utf8)[...]) }
    }
}
