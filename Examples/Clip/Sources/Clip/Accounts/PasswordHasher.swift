import Crypto
import CryptoExtras
import Foundation
import Sluice

/// Makes of a password what is kept: `scrypt$cost$salt$key`, salt and key in base64.
struct PasswordHasher: Sendable {
    /// Time and memory double with each step: 15 takes 32 MiB, and with three passes is one of the choices that OWASP gives.
    var cost = 15

    /// - Parameter password: Not empty: the library stops the process at an empty one.
    func hash(_ password: String) throws -> String {
        try Self.text(password, cost: cost, salt: (0..<16).map { _ in UInt8.random(in: .min ... .max) })
    }

    /// Whether a password is the one of which `kept` was made, at whatever cost.
    func matches(_ password: String, _ kept: String) throws -> Bool {
        let parts = kept.split(separator: "$")
        guard parts.count == 4, let cost = Int(parts[1]), let salt = Data(base64Encoded: String(parts[2])) else { return false }
        return try Self.text(password, cost: cost, salt: [UInt8](salt)).isEqual(inConstantTime: kept)
    }

    private static func text(_ password: String, cost: Int, salt: [UInt8]) throws -> String {
        let key = try KDF.Scrypt.deriveKey(
            from: Array(password.utf8), salt: salt, outputByteCount: 32, rounds: 1 << cost, blockSize: 8, parallelism: 3)
        let bytes = key.withUnsafeBytes { Data($0) }
        return "scrypt$\(cost)$\(Data(salt).base64EncodedString())$\(bytes.base64EncodedString())"
    }
}
