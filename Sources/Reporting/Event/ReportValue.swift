package import SluiceCore

/// A value of a report's contexts and breadcrumbs: JSON, nested at most eight deep and a hundred wide when it is sent.
public enum ReportValue: Sendable, Hashable {
    /// No value.
    case null
    /// `true` or `false`.
    case bool(Bool)
    /// A whole number.
    case integer(Int)
    /// Any other number; NaN and the infinities are sent as text.
    case double(Double)
    /// Text.
    case string(String)
    /// A list; its first hundred elements are sent.
    case array([ReportValue])
    /// Names and values; the first hundred by name are sent.
    case object([String: ReportValue])

    package static let depthLimit = 8
    package static let breadthLimit = 100

    package func write(to json: inout JSONWriter, depth: Int = depthLimit) {
        switch self {
        case .null: json.null()
        case .bool(let value): json.bool(value)
        case .integer(let value): json.number(value)
        case .double(let value): json.number(value)
        case .string(let text): json.string(Trim.text(text, to: Trim.value).utf8)
        case .array(let values):
            guard depth > 0 else { return json.string("…".utf8) }
            json.array { json in
                for value in values.prefix(Self.breadthLimit) { value.write(to: &json, depth: depth - 1) }
            }
        case .object(let values):
            guard depth > 0 else { return json.string("…".utf8) }
            json.object { json in
                for (key, value) in values.inOrder.prefix(Self.breadthLimit) {
                    json.key(key)
                    value.write(to: &json, depth: depth - 1)
                }
            }
        }
    }
}

extension ReportValue: Encodable {
    /// As JSON has it; NaN and the infinities as text.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        switch self {
        case .null: try container.encodeNil()
        case .bool(let value): try container.encode(value)
        case .integer(let value): try container.encode(value)
        case .double(let value) where value.isFinite: try container.encode(value)
        case .double(let value): try container.encode(String(value))
        case .string(let text): try container.encode(text)
        case .array(let values): try container.encode(values)
        case .object(let values): try container.encode(values)
        }
    }
}

extension ReportValue: ExpressibleByStringLiteral, ExpressibleByStringInterpolation, ExpressibleByIntegerLiteral,
    ExpressibleByFloatLiteral, ExpressibleByBooleanLiteral, ExpressibleByNilLiteral, ExpressibleByArrayLiteral,
    ExpressibleByDictionaryLiteral
{
    /// Text.
    public init(stringLiteral value: String) { self = .string(value) }
    /// A whole number.
    public init(integerLiteral value: Int) { self = .integer(value) }
    /// A number.
    public init(floatLiteral value: Double) { self = .double(value) }
    /// `true` or `false`.
    public init(booleanLiteral value: Bool) { self = .bool(value) }
    /// No value.
    public init(nilLiteral: ()) { self = .null }
    /// A list.
    public init(arrayLiteral elements: ReportValue...) { self = .array(elements) }
    /// Names and values; of two equal names the last one counts.
    public init(dictionaryLiteral elements: (String, ReportValue)...) {
        self = .object(Dictionary(elements) { _, last in last })
    }
}
