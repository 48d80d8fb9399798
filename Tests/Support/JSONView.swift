import Foundation

/// Reads JSON in tests with Foundation: none of our own code.
package struct JSONView: CustomStringConvertible {
    package let value: Any

    package init?(_ bytes: [UInt8]) {
        guard let value = try? JSONSerialization.jsonObject(with: Data(bytes), options: .fragmentsAllowed) else { return nil }
        self.value = value
    }

    private init(value: Any) { self.value = value }

    package subscript(key: String) -> JSONView? { (value as? [String: Any])?[key].map(JSONView.init(value:)) }
    package subscript(index: Int) -> JSONView? {
        guard let array = value as? [Any], array.indices.contains(index) else { return nil }
        return JSONView(value: array[index])
    }

    package var text: String? { value as? String }
    package var number: Int? { value as? Int }
    package var flag: Bool? { value as? Bool }
    package var texts: [String]? { value as? [String] }
    package var dictionary: [String: String]? { value as? [String: String] }
    package var keys: Set<String> { Set((value as? [String: Any] ?? [:]).keys) }
    package var elements: [JSONView]? { (value as? [Any])?.map(JSONView.init(value:)) }
    package var isNull: Bool { value is NSNull }
    package var count: Int { (value as? [Any])?.count ?? 0 }
    package var description: String { "\(value)" }
}

/// Splits a streamed answer at the first eight NULs.
package func splitPrelude(_ bytes: [UInt8]) -> (prelude: JSONView, text: String, body: [UInt8])? {
    guard let first = bytes.firstIndex(of: 0), bytes.count >= first + 8,
        bytes[first..<first + 8].allSatisfy({ $0 == 0 }), let json = JSONView(Array(bytes[..<first]))
    else { return nil }
    return (json, String(decoding: bytes[..<first], as: UTF8.self), Array(bytes[(first + 8)...]))
}

package func base64(_ text: String) -> [UInt8]? { Data(base64Encoded: text).map { [UInt8]($0) } }
