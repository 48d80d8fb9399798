import Sluice

/// A stream that ends in the midst of it.
struct Broken: Error {}

/// Bodies that are written while they are sent.
func addStreams(to routes: inout Router) {
    // Three parts, and a pause before each but the first.
    routes.get("/ticks") { request in
        let pause = min(try request.query.get("ms", as: Int.self) ?? 500, 10_000)
        return Response.stream(contentType: "text/plain") { writer in
            for tick in 0..<3 {
                if tick > 0 { try await Task.sleep(for: .milliseconds(pause)) }
                try await writer.write("tick \(tick)\n")
                try await writer.flush()
            }
        }
    }

    // The client has its 200, and then the handler throws.
    routes.get("/fail") { _ in
        Response.stream(contentType: "text/plain") { writer in
            try await writer.write("begun ")
            try await writer.flush()
            throw Broken()
        }
    }

    // A stream that hangs after its first part, and heeds its cancellation.
    routes.get("/hang") { _ in
        Response.stream(contentType: "text/plain") { writer in
            try await writer.write("begun ")
            try await writer.flush()
            try await Task.sleep(for: .seconds(3600))
        }
    }

    // "hello", encoded: does it arrive as it was sent?
    routes.get("/encoded/{coding}") { request in
        let coding = try request.parameters.require("coding")
        guard let bytes = encodedHello[coding] else { throw HTTPError(.notFound, "gzip, br or zstd") }
        return Response.stream(contentType: "text/plain", headers: [.contentEncoding: coding]) { writer in
            try await writer.write(bytes)
        }
    }
}

/// The five letters as one block that is stored, not compressed.
private let encodedHello: [String: [UInt8]] = [
    "gzip": [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 0xFF, 1, 5, 0, 0xFA, 0xFF] + hello + [0x86, 0xA6, 0x10, 0x36, 5, 0, 0, 0],
    "br": [0x0B, 0x02, 0x80] + hello + [0x03],
    "zstd": [0x28, 0xB5, 0x2F, 0xFD, 0x20, 5, 0x29, 0, 0] + hello,
]

private let hello = Array("hello".utf8)
