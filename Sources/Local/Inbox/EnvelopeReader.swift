internal import FoundationEssentials

/// Splits an envelope into its items, strictly: our own reading of the grammar, independent of the app's writer.
///
/// `Envelope = Headers { LF Item } [ LF ]`, `Item = Headers LF Payload`. With `length` the payload is that many bytes, and
/// LF or the end follows; without it the payload runs to the next LF or the end. Keys and types that are not known are fine.
///
/// - SeeAlso: <https://develop.sentry.dev/sdk/foundations/transport/envelopes/>
struct EnvelopeReader {
    private struct Header: Decodable {
        let event_id: String?
    }

    private struct ItemHeader: Decodable {
        let type: String
        let length: Int?
    }

    private static let lineFeed: UInt8 = 0x0A

    private let bytes: [UInt8]
    private var offset = 0

    private init(_ bytes: [UInt8]) { self.bytes = bytes }

    /// Reads all of an envelope.
    static func read(_ bytes: [UInt8]) throws(EnvelopeError) -> ReceivedEnvelope {
        var reader = EnvelopeReader(bytes)
        let header = try reader.header(Header.self, of: "the envelope").value
        var items: [EnvelopeItem] = []
        while reader.offset < bytes.count { items.append(try reader.item()) }
        return ReceivedEnvelope(eventID: header.event_id, items: items)
    }

    private mutating func item() throws(EnvelopeError) -> EnvelopeItem {
        let start = offset
        let (header, isTerminated) = try header(ItemHeader.self, of: "an item")
        // Servers differ here, so no writer should leave it out.
        guard isTerminated else { throw EnvelopeError(problem: "an item's header has no payload behind it", offset: start) }
        guard let length = header.length else { return EnvelopeItem(type: header.type, payload: Array(line().bytes)) }
        let left = bytes.count - offset
        guard length >= 0, length <= left else {
            throw EnvelopeError(problem: "the item's length is \(length), but \(left) bytes follow", offset: offset)
        }
        let payload = Array(bytes[offset..<offset + length])
        offset += length
        if offset < bytes.count {
            guard bytes[offset] == Self.lineFeed else {
                throw EnvelopeError(problem: "neither LF nor the end follows a payload of \(length) bytes", offset: offset)
            }
            offset += 1
        }
        return EnvelopeItem(type: header.type, payload: payload)
    }

    private mutating func header<Value: Decodable>(
        _: Value.Type, of what: String
    ) throws(EnvelopeError) -> (value: Value, isTerminated: Bool) {
        let start = offset
        let (text, isTerminated) = line()
        guard !text.isEmpty else {
            throw EnvelopeError(problem: "an empty line where the header of \(what) belongs", offset: start)
        }
        do {
            return (try JSONDecoder().decode(Value.self, from: Data(text)), isTerminated)
        } catch {
            throw EnvelopeError(problem: "the header of \(what) is no JSON object with the right fields", offset: start)
        }
    }

    /// Up to the next LF, which is taken too, or up to the end.
    private mutating func line() -> (bytes: ArraySlice<UInt8>, isTerminated: Bool) {
        let rest = bytes[offset...]
        guard let end = rest.firstIndex(of: Self.lineFeed) else {
            offset = bytes.count
            return (rest, false)
        }
        offset = end + 1
        return (rest[..<end], true)
    }
}
