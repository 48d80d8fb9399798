import Crypto
import Foundation
import Sluice

/// Who may use Clip, and how they show who they are.
struct Accounts: Sendable {
    let store: Store
    let hasher: PasswordHasher

    /// Adds users who are not there yet; the passwords of others stay as they are.
    func add(_ users: [Credentials]) async throws {
        for user in users {
            try user.validated()
            guard try await store.password(of: user.name) == nil else { continue }
            try await store.insertUser(user.name, password: hasher.hash(user.password))
        }
    }

    /// Who has this name and password; nil for nobody, which takes as long to find out.
    func user(_ credentials: Credentials) async throws -> User? {
        let kept = try await store.password(of: credentials.name)
        let (hasher, password) = (hasher, credentials.password)
        // It keeps a processor busy: not on the thread that takes invocations.
        let isRight = try await withTaskExecutorPreference(globalConcurrentExecutor) { () async throws -> Bool in
            if let kept { return try hasher.matches(password, kept) }
            _ = try hasher.hash(password)
            return false
        }
        return isRight ? User(name: credentials.name) : nil
    }

    /// A token for the API. It is shown once: what is kept is its digest, which needs no salt, as the token is random.
    func makeToken(for user: User) async throws -> String {
        let token = RandomText.make(40)
        try await store.insertToken(Self.digest(token), owner: user)
        return token
    }

    func user(ofToken token: String) async throws -> User? { try await store.user(ofToken: Self.digest(token)) }

    private static func digest(_ token: String) -> Data { Data(SHA256.hash(data: Data(token.utf8))) }
}
