import Foundation
import GRDB
import Sluice

/// A text with a title.
struct Paste: Codable, Sendable, FetchableRecord {
    let id: String
    let title: String
    let text: String
    let owner: String
    let createdAt: Date
}

/// A paste that somebody wants to keep, as form or JSON.
struct PasteDraft: Decodable, Sendable, Validatable {
    let title: String
    let text: String

    func validate(_ checks: inout Validation) {
        checks.require((1...100).contains(title.count), "title", "must have from 1 to 100 characters")
        checks.require(!text.isEmpty, "text", "must not be empty")
    }
}

extension Store {
    func paste(_ id: String) async throws -> Paste? {
        try await database.read { db in
            try Paste.fetchOne(db, sql: "SELECT * FROM paste WHERE id = ?", arguments: [id])
        }
    }

    func insert(_ draft: PasteDraft, owner: User) async throws -> Paste {
        let paste = Paste(
            id: RandomText.make(20), title: draft.title, text: draft.text, owner: owner.name, createdAt: Date())
        try await database.write { db in
            try db.execute(
                sql: "INSERT INTO paste (id, title, text, owner, createdAt) VALUES (?, ?, ?, ?, ?)",
                arguments: [paste.id, paste.title, paste.text, paste.owner, paste.createdAt])
        }
        return paste
    }
}
