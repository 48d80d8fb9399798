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
        get { values[ObjectIdentifier(key)] as? Key.Value }
        set { values[ObjectIdentifier(key)] = newValue }
    }
}
