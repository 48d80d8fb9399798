import Foundation
import GRDB
import Sluice
import SluiceSessions
import SluiceTesting

@testable import Clip

/// The app on a database of its own, and a client of it.
struct Fixture {
    static let ways: [TestClient.Transport] = [.functionURL(.buffered), .functionURL(.responseStream)]

    let client: TestClient
    let store: Store

    init(
        _ transport: TestClient.Transport = .pipeline, signedInAs name: String? = "ada", heartbeat: Duration = .seconds(5)
    ) async throws {
        let database = try DatabaseQueue()
        let assets = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../Public").standardized
        // A cost that no test waits for.
        let settings = Settings(
            keys: try SigningKeys("0123456789abcdef0123456789abcdef"),
            users: [Credentials(name: "ada", password: "lovelace"), Credentials(name: "grace", password: "hopper")],
            origins: ["https://a.example"], assets: assets.path(percentEncoded: false), passwords: PasswordHasher(cost: 4),
            heartbeat: heartbeat)
        let app = try await makeApp(database: database, settings: settings)
        client = try TestClient(app, through: transport, keepsCookies: true)
        store = try Store(database)
        if let name { _ = try await signIn(name, name == "ada" ? "lovelace" : "hopper") }
    }

    func signIn(_ name: String, _ password: String) async throws -> TestResponse {
        try await client.post("/sign-in", form: ["name": name, "password": password])
    }

    func shorten(_ target: String, as slug: String) async throws -> Link {
        try await client.post("/links", json: #"{"target":"\#(target)","slug":"\#(slug)"}"#).decode(Link.self)
    }

    /// The headers of a program that acts for who has signed in.
    func credentials() async throws -> HTTPFields {
        let made = try await client.post("/tokens", headers: [.accept: "application/json"]).decode(NewToken.self)
        return [.authorization: "Bearer \(made.token)"]
    }

    /// Links by the hundred, the last of which cannot be read.
    func breakLink(at number: Int) async throws {
        try await store.database.write { db in
            try db.execute(
                sql: """
                    WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < \(number))
                    INSERT INTO link (slug, target, owner, createdAt)
                    SELECT 'link' || i, 'https://a.example/' || i, 'ada', iif(i = \(number), 'never', '2026-01-02 03:04:05.678')
                    FROM n
                    """)
        }
    }
}

extension TestClient {
    /// What a browser does with a form.
    func post(_ target: String, form fields: KeyValuePairs<String, String>) async throws -> TestResponse {
        try await send(.form(.post, target, fields, headers: [.accept: "text/html"]))
    }

    /// What a program does.
    func post(_ target: String, headers: HTTPFields = [:], json: String) async throws -> TestResponse {
        var headers = headers
        headers[.contentType] = "application/json"
        headers[.accept] = "application/json"
        return try await post(target, headers: headers, body: .text(json))
    }

    /// What a browser does with a form that has a file in it.
    func upload(_ bytes: [UInt8], named name: String, field: String = "file") async throws -> TestResponse {
        let parts = [TestPart.file(field, filename: name, bytes)]
        return try await send(.multipart(.post, "/files", parts, headers: [.accept: "application/json"]))
    }
}

/// What is read of `application/problem+json`.
struct ProblemDocument: Decodable {
    struct Part: Decodable {
        let detail: String
        let pointer: String
    }

    let detail: String?
    let errors: [Part]?
}
