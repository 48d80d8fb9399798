import Foundation
import Testing

/// An app with services under the local Lambda: what happens when its sandbox ends.
@Suite(.serialized, .timeLimit(.minutes(1))) struct ServicesTests {
    /// A program, and all that it and its child have printed.
    private final class Running: @unchecked Sendable {  // one test uses it, one thing after the other
        let process = Process()
        private let pipe = Pipe()
        private(set) var lines: [String] = []
        private var rest = Data()

        init(_ name: String, _ environment: [String: String]) throws {
            // Where SwiftPM put the tests, and the programs beside them.
            let tests = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath()
            process.executableURL = tests.deletingLastPathComponent().appending(path: name)
            process.environment = ["PATH": "/usr/bin:/bin", "PORT": "0"].merging(environment) { _, new in new }
            process.standardOutput = pipe
            process.standardError = pipe
            try process.run()
        }

        /// Reads until a line has this text; false where the program ended before.
        func wait(for text: String) -> Bool {
            while true {
                if lines.contains(where: { $0.contains(text) }) { return true }
                let more = pipe.fileHandleForReading.availableData
                if more.isEmpty { return false }
                rest += more
                while let end = rest.firstIndex(of: 0x0A) {
                    lines.append(String(decoding: rest[rest.startIndex..<end], as: UTF8.self))
                    rest = Data(rest[(end + 1)...])
                }
            }
        }

        func end() {
            kill(process.processIdentifier, SIGTERM)
            _ = wait(for: "no line has this text")
            process.waitUntilExit()
        }

        /// Where a line with this text stands among all.
        func place(of text: String) -> Int? { lines.firstIndex { $0.contains(text) } }
    }

    private func get(_ running: Running) async throws -> String {
        #expect(running.wait(for: "http://127.0.0.1:"))
        let line = try #require(running.lines.first { $0.contains("http://127.0.0.1:") })
        let address = try #require(line.firstRange(of: /http:\/\/127\.0\.0\.1:\d+/)).lowerBound
        let url = try #require(URL(string: String(line[address...].prefix { !$0.isWhitespace }) + "/"))
        let socket = try #require(Client(port: UInt16(url.port ?? 0)))
        return socket.get("/")
    }

    @Test("services open in order before the first request, close in reverse order at SIGTERM, and what they report arrives")
    func order() async throws {
        let running = try Running("Pools", [:])
        #expect(try await get(running).contains("hello"))
        #expect(running.wait(for: "after the reply of /"))
        running.end()
        let opened = ["database opened", "client opened"].compactMap(running.place)
        let closed = ["client closed", "database closed"].compactMap(running.place)
        #expect(opened.count == 2 && closed.count == 2)
        #expect(closed == closed.sorted() && (opened.max() ?? 0) < (closed.min() ?? 0))
        for name in ["client", "database"] {
            #expect(running.place(of: "report  last words of the \(name)") != nil, "\(running.lines)")
        }
        #expect(running.place(of: "shutdown: the app got SIGTERM and exited with status 0") != nil)
    }

    @Test("an app that is a service of the program's own group, which hears SIGTERM too, is no failure of the group")
    func grouped() async throws {
        let running = try Running("Pools", ["GROUPED": "1"])
        #expect(try await get(running).contains("hello"))
        running.end()
        for line in ["database closed", "cache closed", "the group has ended"] {
            #expect(running.place(of: line) != nil, "\(running.lines)")
        }
        #expect(running.place(of: "shutdown: the app got SIGTERM and exited with status 0") != nil, "\(running.lines)")
    }

    @Test("a service that hangs has its share of the time, and the process ends in time")
    func hanging() async throws {
        let running = try Running("Pools", ["HANGS": "1"])
        #expect(try await get(running).contains("hello"))
        running.end()
        #expect(running.place(of: "client closed") == nil)
        #expect(running.place(of: "shutdown: the app got SIGTERM and exited with status 0") != nil, "\(running.lines)")
    }
}

/// The least HTTP client.
private struct Client {
    private let descriptor: Int32

    init?(port: UInt16) {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        let size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let descriptor = descriptor
        let code = withUnsafePointer(to: &address) { address in
            address.withMemoryRebound(to: sockaddr.self, capacity: 1) { connect(descriptor, $0, size) }
        }
        guard code == 0 else { return nil }
    }

    func get(_ path: String) -> String {
        let request = Array("GET \(path) HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".utf8)
        _ = write(descriptor, request, request.count)
        var (all, buffer) = ([UInt8](), [UInt8](repeating: 0, count: 4096))
        while case let count = read(descriptor, &buffer, buffer.count), count > 0 { all += buffer[..<count] }
        close(descriptor)
        return String(decoding: all, as: UTF8.self)
    }
}
