import Foundation
import SluiceTestSupport

/// Servers and readers that are not ours, from the virtual environment that `scripts/setup` makes.
enum Oracles {
    /// The package's folder: three levels above this file.
    static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().path

    static var python: String { root + "/.build-oracles/bin/python" }

    /// Whether they are there. Where Python is missing, tests that need them are skipped, and say so.
    static var areThere: Bool {
        // Written last: a set-up that failed on its way may have left a Python without them.
        FileManager.default.fileExists(atPath: root + "/.build-oracles/.pins")
    }

    /// What Relay's normaliser says of envelopes: one object for each event.
    static func normalized(_ envelopes: [String]) throws -> [JSONView] { try read(envelopes, by: "normalize.py") }

    /// What a reader says of texts that it gets on lines of their own: one object for each.
    static func read(_ texts: [String], by reader: String) throws -> [JSONView] {
        let folder = TemporaryFolder()
        defer { withExtendedLifetime(folder) {} }
        let file = folder.path + "/input"
        try texts.joined(separator: "\n").write(toFile: file, atomically: true, encoding: .utf8)
        let reader = try Program(
            "/bin/sh", arguments: ["-c", "'\(python)' '\(root)/Tests/Oracles/\(reader)' < '\(file)'; echo END $?"], [:])
        guard let end = reader.line(containing: "END"), end == "END 0" else {
            throw Failed(text: reader.errors.joined(separator: "\n"))
        }
        return reader.console.dropLast().compactMap { JSONView(Array($0.utf8)) }
    }

    struct Failed: Error {
        let text: String
    }
}

/// A real error server: bugsink, its schema strict, under gunicorn.
final class Bugsink: Sendable {
    let program: Program
    let port: Int

    init?(_ arguments: [String]) throws {
        program = try Program(Oracles.python, arguments: [Oracles.root + "/Tests/Oracles/bugsink_server.py"] + arguments, [:])
        guard let line = program.line(containing: "READY"), let port = line.split(separator: " ").last.flatMap({ Int($0) })
        else { return nil }
        self.port = port
    }

    /// It ends its workers only when it is told to.
    deinit {
        program.say("quit")
        _ = Program.observe { program.hasEnded ? true : nil }
    }

    func dsn(scheme: String = "http", host: String = "127.0.0.1", key: String = "00000000000000000000000000000001") -> String {
        "\(scheme)://\(key)@\(host):\(port)/1"
    }

    /// The response to a command: one line of JSON.
    private func ask(_ command: String) -> JSONView? {
        let before = program.console.count
        program.say(command)
        return Program.observe {
            program.console.count > before ? program.console.last.flatMap { JSONView(Array($0.utf8)) } : nil
        }
    }

    /// The rows of `events_event`, when there are `count` of them at least; nil if there never are, or it does not answer.
    func events(_ count: Int) -> [JSONView]? {
        Program.observe {
            guard let rows = ask("events")?.elements, rows.count >= count else { return nil }
            return rows
        }
    }

    var envelopes: [String] { ask("envelopes")?.elements?.compactMap { $0["data"]?.text } ?? [] }
}
