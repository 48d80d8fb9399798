@_spi(JSON) internal import SluiceCore

/// The body of an event, read before it is known whether it is base64: that stands behind it.
struct EventBody {
    private var text: JSONText?
    /// Of a long text that is base64, whether meant so or not.
    private var decoded: [UInt8]?

    mutating func read(_ reader: inout JSONReader) throws(JSONError) {
        (text, decoded) = (nil, nil)
        if try reader.null() { return }
        if let long = reader.longBase64() {
            (text, decoded) = long
        } else {
            text = try reader.text()
        }
    }

    /// Empty where there is none; nil where it is not the base64 that it claims to be. While the reader is lent.
    func bytes(isBase64: Bool) -> [UInt8]? {
        guard let text else { return [] }
        return isBase64 ? decoded ?? Base64.decode(text.bytes) : Array(text.bytes)
    }
}
