/// A list of secrets that nothing can be signed with; it never holds a secret, nor a part of one.
public struct SigningKeysError: Error, Equatable, CustomStringConvertible {
    /// What is wrong, and what to do about it.
    public let description: String

    static let noSecret = Self(
        description: "signing keys need at least one secret; `openssl rand -base64 32` makes one")

    static func tooShort(number: Int, byteCount: Int) -> Self {
        Self(
            description: """
                secret \(number) has \(byteCount) bytes and needs \(SigningKeys.minimumByteCount); \
                `openssl rand -base64 32` makes one
                """)
    }
}
