import Foundation
import Testing

/// Events as they are documented: Tests/Fixtures/Events.
enum Fixture {
    static let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .appending(path: "Fixtures/Events")

    static func text(_ name: String) throws -> String {
        try String(contentsOf: folder.appending(path: name + ".json"), encoding: .utf8)
    }

    /// The event with changes at paths, as `requestContext.stage`; ``Removed`` removes.
    static func text(_ name: String, _ changes: [String: Any]) throws -> String {
        var event = try JSONSerialization.jsonObject(with: Data(text(name).utf8))
        for (path, value) in changes {
            event = change(event, path.split(separator: ".").map(String.init)[...], to: value)
        }
        return String(decoding: try JSONSerialization.data(withJSONObject: event), as: UTF8.self)
    }

    private static func change(_ value: Any, _ path: ArraySlice<String>, to new: Any) -> Any {
        guard let first = path.first else { return new }
        var object = value as? [String: Any] ?? [:]
        if path.count == 1, new is Removed {
            object[first] = nil
        } else {
            object[first] = change(object[first] ?? [String: Any](), path.dropFirst(), to: new)
        }
        return object
    }

    /// The event once for each of its fields and each way to spoil it: without it, with a null, and with a value of another type.
    static func spoiled(_ name: String) throws -> [(path: String, how: String, json: String)] {
        let whole = try JSONSerialization.jsonObject(with: Data(text(name).utf8))
        var all: [(String, String, String)] = []
        for path in paths(whole) {
            for (how, value) in [
                ("removed", Removed()), ("null", NSNull()), ("number", 7), ("string", "x"), ("array", [1]),
                ("object", ["a": 1]),
                ("flag", true),
            ] as [(String, Any)] {
                let changed = change(whole, path, to: value)
                let text = try JSONSerialization.data(withJSONObject: changed, options: .sortedKeys)
                all.append((path.joined(separator: "."), how, String(decoding: text, as: UTF8.self)))
            }
        }
        return all
    }

    private static func paths(_ value: Any) -> [ArraySlice<String>] {
        guard let object = value as? [String: Any] else { return [] }
        return object.keys.sorted().flatMap { key -> [ArraySlice<String>] in
            [[key]] + paths(object[key] as Any).map { [key] + $0 }
        }
    }
}
