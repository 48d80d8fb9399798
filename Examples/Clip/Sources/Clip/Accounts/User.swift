import Foundation
import GRDB
import Sluice

struct User: Codable, Sendable, Equatable, FetchableRecord {
    let name: String
}

/// What somebody signs in with.
struct Credentials: Decodable, Sendable, Validatable {
    let name: String
    let password: String

    func validate(_ checks: inout Validation) {
        checks.require(!name.isEmpty, "name", "must not be empty")
        checks.require((1...1000).contains(password.utf8.count), "password", "must have from 1 to 1000 bytes")
    }
}

extension Store {
    func user(named name: String) async throws -> User? {
        try await database.read { db in
            try User.fetchOne(db, sql: "SELECT name FROM user WHERE name = ?", arguments: [name])
        }
    }

    /// What is kept of a user's password; nil where there is no such user.
    func password(of name: String) async throws -> String? {
        try await database.read { db in
            try String.fetchOne(db, sql: "SELECT password FROM user WHERE name = ?", arguments: [name])
        }
    }

    func insertUser(_ name: String, password: String) async throws {
        try await database.write { db in
            try db.execute(sql: "INSERT OR IGNORE INTO user (name, password) VALUES (?, ?)", arguments: [name, password])
        }
    }

    func insertToken(_ digest: Data, owner: User) async throws {
        try await database.write { db in
            try db.execute(sql: "INSERT INTO token (digest, owner) VALUES (?, ?)", arguments: [digest, owner.name])
        }
    }

    func user(ofToken digest: Data) async throws -> User? {
        try await database.read { db in
            try User.fetchOne(db, sql: "SELECT owner AS name FROM token WHERE digest = ?", arguments: [digest])
        }
    }
}
