/// What this process did with an invocation.
struct ReplyEnd: Sendable, Equatable {
    enum Kind: UInt8, Sendable, CustomStringConvertible {
        /// Nothing was sent.
        case nothing
        /// A response, to its end.
        case response
        /// An error in the place of a response.
        case error
        /// A stream whose end said that it is an error.
        case trailers
        /// A stream that was broken off.
        case cut
        /// Something that the Runtime API did not take.
        case refused

        var description: String {
            switch self {
            case .nothing: "nothing"
            case .response: "response"
            case .error: "error"
            case .trailers: "error trailers"
            case .cut: "cut"
            case .refused: "refused"
            }
        }
    }

    var kind: Kind
    /// Of the response; nil where there was none.
    var status: Int?
    /// Of its body, as far as it was sent.
    var bytes: Int

    init(_ kind: Kind, status: Int? = nil, bytes: Int = 0) { (self.kind, self.status, self.bytes) = (kind, status, bytes) }

    /// Whether all is well as far as anybody here knows: what the platform counts as an error all the same is news.
    var isFine: Bool { kind == .response }

    // MARK: One word

    // Written by the worker or the guard, and kept without a lock: the kind in 8 bits, the status in 16, the bytes in 40.

    init(word: UInt64) {
        let status = Int(word >> 40 & 0xFFFF)
        self.init(
            Kind(rawValue: UInt8(truncatingIfNeeded: word >> 56)) ?? .nothing, status: status == 0 ? nil : status,
            bytes: Int(word & 0xFF_FFFF_FFFF))
    }

    var word: UInt64 {
        UInt64(kind.rawValue) << 56 | UInt64(UInt16(clamping: status ?? 0)) << 40 | UInt64(min(bytes, 0xFF_FFFF_FFFF))
    }
}
