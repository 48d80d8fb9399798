/// What the `{names}` of the matched route stand for, percent-decoded once.
///
/// The router makes them; in a test of a handler's own, `request.parameters = ["id": "7"]` does.
public struct Parameters: Sendable, ExpressibleByDictionaryLiteral {
    var pairs: [(name: String, value: String)]

    /// - Parameter pairs: Names without braces, and values that are decoded already.
    public init(_ pairs: [(name: String, value: String)] = []) { self.pairs = pairs }

    /// Names without braces, and values that are decoded already.
    public init(dictionaryLiteral elements: (String, String)...) {
        pairs = elements.map { (name: $0.0, value: $0.1) }
    }

    /// The value of a parameter; nil when the route has none of this name.
    public subscript(name: String) -> String? { pairs.first { $0.name == name }?.value }

    /// The value of a parameter.
    ///
    /// - Throws: ``HTTPError``, a 500 whose detail names the parameter, when the route has none of this name: our mistake,
    ///   not the client's.
    public func require(_ name: String) throws -> String {
        guard let value = self[name] else {
            let known = pairs.isEmpty ? "none" : pairs.map { "{\($0.name)}" }.joined(separator: ", ")
            throw HTTPError(.internalServerError, detail: "the matched route has no parameter {\(name)}; it has \(known)")
        }
        return value
    }

    /// The value of a parameter, converted.
    ///
    /// - Throws: ``HTTPError``, a 400 that names the parameter, when its value is not a `Value`.
    public func require<Value: LosslessStringConvertible>(_ name: String, as type: Value.Type) throws -> Value {
        guard let value = FieldText.value(try require(name), as: type) else {
            throw HTTPError(.badRequest, "the path parameter '\(name)' is not a valid \(Value.self)")
        }
        return value
    }
}
