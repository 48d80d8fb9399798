import Foundation
import GRDB

/// A file that somebody has uploaded.
struct Upload: Decodable, Sendable, FetchableRecord {
    let id: String
    let name: String
    let kind: String
    let content: Data
    let owner: String

    /// What is told of it: not its content.
    struct Summary: Codable, Sendable {
        let id: String
        let name: String
        let kind: String
        let size: Int
    }

    var summary: Summary { Summary(id: id, name: name, kind: kind, size: content.count) }
}

extension Store {
    func upload(_ id: String) async throws -> Upload? {
        try await database.read { db in
            try Upload.fetchOne(db, sql: "SELECT * FROM upload WHERE id = ?", arguments: [id])
        }
    }

    func insert(_ upload: Upload) async throws {
        try await database.write { db in
            try db.execute(
                sql: "INSERT INTO upload (id, name, kind, content, owner) VALUES (?, ?, ?, ?, ?)",
                arguments: [upload.id, upload.name, upload.kind, upload.content, upload.owner])
        }
    }
}
