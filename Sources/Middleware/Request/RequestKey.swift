/// Names a typed value that middleware hands down: `request[SignedIn.self] = user`.
///
/// ```swift
/// enum SignedIn: RequestKey { typealias Value = User }
/// ```
public protocol RequestKey {
    /// The type of the value that is handed down.
    associatedtype Value: Sendable
}

extension Request {
    /// The value that a middleware above has set; nil when none has.
    public subscript<Key: RequestKey>(key: Key.Type) -> Key.Value? {
        get { fields.values[ObjectIdentifier(key)] as? Key.Value }
        set { fields.values[ObjectIdentifier(key)] = newValue }
    }

    /// The value that a middleware above has set.
    ///
    /// - Throws: ``HTTPError``, a 500 whose detail names the key, when none has: our mistake, not the client's.
    public func require<Key: RequestKey>(_ key: Key.Type) throws -> Key.Value {
        guard let value = self[key] else {
            throw HTTPError(.internalServerError, detail: "no middleware above has set \(key)")
        }
        return value
    }
}
