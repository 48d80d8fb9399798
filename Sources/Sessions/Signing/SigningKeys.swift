internal import Crypto
internal import FoundationEssentials

/// The secrets that cookies are signed with: the first one signs, all of them verify.
///
/// To change a secret, put the new one first and leave the old one behind it until the last cookie that it signed is over.
///
/// ```swift
/// let keys = try SigningKeys(secret, formerSecret)
/// ```
/// Whoever knows a secret can make any cookie: keep them where the app's other secrets are, random, as `openssl rand -base64 32`
/// makes them, and for nothing else. Signatures are HMAC-SHA-256 (RFC 2104).
public struct SigningKeys: Sendable, CustomStringConvertible, CustomReflectable {
    /// How many bytes a secret has at least: as many as a signature (RFC 2104, section 3).
    public static let minimumByteCount = 32

    private let signing: SymmetricKey
    private let former: [SymmetricKey]

    /// Takes secrets as text; their UTF-8 is the key.
    ///
    /// - Throws: ``SigningKeysError``, where there is none, or one has less than ``minimumByteCount`` bytes.
    public init(_ secrets: String...) throws(SigningKeysError) { try self.init(secrets) }

    /// As the form for single secrets, with a list of them.
    ///
    /// - Throws: ``SigningKeysError``, where there is none, or one has less than ``minimumByteCount`` bytes.
    public init(_ secrets: [String]) throws(SigningKeysError) { try self.init(bytes: secrets.map { Array($0.utf8) }) }

    /// Takes secrets as bytes, whatever these are.
    ///
    /// - Throws: ``SigningKeysError``, where there is none, or one has less than ``minimumByteCount`` bytes.
    public init(bytes secrets: [[UInt8]]) throws(SigningKeysError) {
        for (index, secret) in secrets.enumerated() where secret.count < Self.minimumByteCount {
            throw .tooShort(number: index + 1, byteCount: secret.count)
        }
        let keys = secrets.map { SymmetricKey(data: $0) }
        guard let first = keys.first else { throw .noSecret }
        signing = first
        former = Array(keys.dropFirst())
    }

    /// How many secrets there are, and nothing of what they are.
    public var description: String { "SigningKeys(secrets: \(1 + former.count))" }

    /// Shows no secret to `dump`, nor to whoever else looks at properties.
    public var customMirror: Mirror { Mirror(self, children: [:]) }

    /// 32 bytes.
    func signature(of message: [UInt8]) -> [UInt8] {
        Array(HMAC<SHA256>.authenticationCode(for: message, using: signing))
    }

    /// Whether one of the secrets has made the signature; takes a time that does not depend on where they differ.
    func isValid(_ signature: [UInt8], of message: [UInt8]) -> Bool {
        ([signing] + former).contains { key in
            HMAC<SHA256>.isValidAuthenticationCode(signature, authenticating: message, using: key)
        }
    }
}
