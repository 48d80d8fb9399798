import Foundation

extension MockIngest.Request {
    /// The request's body, taken apart strictly; gzip is undone by gzip itself.
    package func envelope() throws -> EnvelopeView {
        guard message["content-encoding"] == "gzip" else { return try EnvelopeView(message.body) }
        let file = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
        defer { try? FileManager.default.removeItem(at: file) }  // a leftover in the temporary folder harms nobody
        try Data(message.body).write(to: file)
        let gzip = Process()
        gzip.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        gzip.arguments = ["gzip", "-dc", file.path]
        let pipe = Pipe()
        gzip.standardOutput = pipe
        try gzip.run()
        let bytes = [UInt8](pipe.fileHandleForReading.readDataToEndOfFile())
        gzip.waitUntilExit()
        return try EnvelopeView(bytes)
    }
}

extension MockIngest {
    package func envelopes() throws -> [EnvelopeView] { try requests.map { try $0.envelope() } }

    /// The events among all that came, in order; a repeated one twice.
    package func events() throws -> [JSONView] {
        try envelopes().flatMap(\.items).filter { $0.type == "event" }.compactMap(\.json)
    }

    /// What the client says it has thrown away, summed: `network_error error` and how many.
    package func losses() throws -> [String: Int] {
        var losses: [String: Int] = [:]
        for item in try envelopes().flatMap(\.items) where item.type == "client_report" {
            guard let json = item.json, let list = json["discarded_events"] else { continue }
            for index in 0..<list.count {
                guard let reason = list[index]?["reason"]?.text, let category = list[index]?["category"]?.text,
                    let quantity = list[index]?["quantity"]?.number
                else { continue }
                losses["\(reason) \(category)", default: 0] += quantity
            }
        }
        return losses
    }
}
