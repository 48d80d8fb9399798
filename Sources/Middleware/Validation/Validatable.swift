/// A value that knows what is wrong with it. `request.decode`, and what decodes queries, forms and headers, ask it; so does `validated()`.
///
/// ```swift
/// struct SignUp: Decodable, Validatable {
///     let name: String
///     let age: Int
///     func validate(_ checks: inout Validation) {
///         checks.require(!name.isEmpty, "name", "must not be empty")
///         checks.require((18...150).contains(age), "age", "must be from 18 to 150")
///     }
/// }
/// ```
/// All that fails is one response: a 422 with the place and the words of each, and nothing else of the value.
public protocol Validatable {
    /// Says what is wrong. The words are for the client.
    func validate(_ checks: inout Validation)
}

/// Collects what is wrong with a value.
public struct Validation: Sendable {
    /// What failed so far.
    public private(set) var failures: [ValidationError.Failure] = []
    private var place = ""

    /// How many failures are kept: 100. What fails after them is counted by nobody.
    public static let limit = 100

    /// Nothing is wrong yet.
    public init() {}

    /// Notes a failure unless `condition` holds.
    ///
    /// - Parameters:
    ///   - field: The property's name, as the client sends it.
    ///   - message: For the client: `must not be empty`.
    public mutating func require(_ condition: Bool, _ field: String, _ message: @autoclosure () -> String) {
        if !condition { fail(field, message()) }
    }

    /// Notes a failure of a field.
    public mutating func fail(_ field: String, _ message: String) {
        guard failures.count < Self.limit else { return }
        failures.append(.init(pointer: place + Self.token(field), message: message))
    }

    /// Notes a failure of the value as a whole: of two fields together, say.
    public mutating func fail(_ message: String) {
        guard failures.count < Self.limit else { return }
        failures.append(.init(pointer: place, message: message))
    }

    /// Asks a value inside of this one.
    public mutating func nested(_ field: String, _ value: (some Validatable)?) {
        guard let value else { return }
        let outer = place
        place += Self.token(field)
        value.validate(&self)
        place = outer
    }

    /// Asks each value of a list inside of this one.
    public mutating func each(_ field: String, _ values: some Sequence<some Validatable>) {
        let outer = place
        for (index, value) in values.enumerated() {
            guard failures.count < Self.limit else { break }
            place = outer + Self.token(field) + "/\(index)"
            value.validate(&self)
        }
        place = outer
    }

    /// `/` and the name, `~` and `/` escaped (RFC 6901, section 3).
    private static func token(_ name: String) -> String {
        var text = "/"
        for scalar in name.unicodeScalars {
            switch scalar {
            case "~": text += "~0"
            case "/": text += "~1"
            default: text.unicodeScalars.append(scalar)
            }
        }
        return text
    }

    mutating func element(_ index: Int, _ value: any Validatable) {
        let outer = place
        place += "/\(index)"
        value.validate(&self)
        place = outer
    }
}

extension Array: Validatable where Element: Validatable {
    /// Asks each element.
    public func validate(_ checks: inout Validation) {
        for (index, value) in enumerated() { checks.element(index, value) }
    }
}

extension Optional: Validatable where Wrapped: Validatable {
    /// Asks the value, if there is one.
    public func validate(_ checks: inout Validation) { self?.validate(&checks) }
}

extension Validatable {
    /// The value itself, if nothing is wrong with it.
    ///
    /// - Throws: ``ValidationError``.
    @discardableResult
    public func validated() throws -> Self {
        var checks = Validation()
        validate(&checks)
        guard checks.failures.isEmpty else { throw ValidationError(checks.failures) }
        return self
    }
}

extension Decodable {
    /// The value itself, if it has nothing to say of itself or nothing is wrong with it.
    func checked() throws -> Self {
        if let value = self as? any Validatable { try value.validated() }
        return self
    }
}
