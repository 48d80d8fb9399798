import Sluice
import SluiceSessions

/// What differs from one deployment to the next.
struct Settings: Sendable {
    /// `CLIP_DATABASE`: a file; Lambda's only place to write is `/tmp`, which a sandbox has for itself and loses.
    var database = "/tmp/clip.sqlite"
    /// `CLIP_SECRET`: what cookies are signed with, 32 bytes at least. There is no default.
    var keys: SigningKeys
    /// `CLIP_USERS`, as `ada:lovelace,grace:hopper`: users who are added where they are not there yet.
    var users: [Credentials] = []
    /// `CLIP_ORIGINS`, as `https://a.example,https://b.example`: whose pages may use the API.
    var origins: [String] = []
    /// The folder of style and script.
    var assets = "Public"
    /// How many bytes a request's body has at most, and so an upload.
    var bodyLimit = 1_000_000
    /// How passwords are kept.
    var passwords = PasswordHasher()
    /// After how long without an event the stream of events shows that it lives.
    var heartbeat = Duration.seconds(5)
}

extension Settings {
    /// - Throws: `SettingsError`, or what `SigningKeys` says of the secret: it is told through `init/error`.
    init(environment: [String: String]) throws {
        guard let secret = environment["CLIP_SECRET"] else {
            throw SettingsError(variable: "CLIP_SECRET", reason: "expected a secret; `openssl rand -base64 32` makes one")
        }
        self.init(keys: try SigningKeys(secret))
        if let path = environment["CLIP_DATABASE"] { database = path }
        origins = (environment["CLIP_ORIGINS"] ?? "").split(separator: ",").map(String.init)
        users = try (environment["CLIP_USERS"] ?? "").split(separator: ",").map { pair in
            let parts = pair.split(separator: ":", maxSplits: 1)
            guard parts.count == 2 else {
                throw SettingsError(variable: "CLIP_USERS", reason: "a user is written 'name:password'")
            }
            return Credentials(name: String(parts[0]), password: String(parts[1]))
        }
    }
}
