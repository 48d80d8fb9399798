internal import SluiceCore

/// Who sends the reports.
struct SDK: Sendable {
    let name: String
    let version: String

    static let current = SDK(name: "custom.swift.sluice", version: Version.current)

    var userAgent: String { "\(name)/\(version)" }

    func write(to json: inout JSONWriter) {
        json.object { json in
            json.field("name", name)
            json.field("version", version)
        }
    }
}
