/// One kind of front end: how it writes an event, and what it makes of the function's reply. Each is our own reading of its
/// documentation, independent of the adapter's.
protocol Gateway: Sendable {
    /// What it is in words, for the console.
    var name: String { get }
    /// The most bytes of a request's body.
    var requestLimit: Int { get }
    /// The most bytes of a whole reply, as the function sent it.
    var replyLimit: Int { get }
    /// Whether there is a mode in which it passes a response on while the function writes it.
    var canStream: Bool { get }
    /// In how many bytes of a stream prelude and delimiter must have come; nil for any number.
    var preludeLimit: Int? { get }

    /// The event of a request.
    ///
    /// - Throws: ``GatewayRefusal`` for a request that the front end answers itself.
    func event(_ request: GatewayRequest) throws(GatewayRefusal) -> JSONTree

    /// The text of ``event(_:)``.
    func eventText(_ request: GatewayRequest) throws -> [UInt8]

    /// What the client gets of a whole reply.
    ///
    /// - Throws: ``UnusableReply``: then the client gets ``page(_:)``.
    func response(_ payload: [UInt8]) throws(UnusableReply) -> WireResponse

    /// Whether a stream of this content type is taken apart into prelude and body, in the streaming mode.
    func takesPrelude(_ contentType: String?) -> Bool

    /// Status and headers of a streamed reply. Asked only where ``canStream`` is true.
    ///
    /// - Throws: ``UnusableReply``: then the client gets ``page(_:)``.
    func head(_ prelude: [UInt8]) throws(UnusableReply) -> WireResponse

    /// What the client gets of a stream that Lambda has collected for a front end that does not stream.
    ///
    /// - Throws: ``UnusableReply``: then the client gets ``page(_:)``.
    func collected(_ payload: [UInt8], contentType: String?) throws(UnusableReply) -> WireResponse

    /// What the client gets in the streaming mode of a reply that is not taken apart. Asked only where ``canStream`` is true.
    ///
    /// - Throws: ``UnusableReply``: then the client gets ``page(_:)``.
    func undivided(_ payload: [UInt8], contentType: String?) throws(UnusableReply) -> WireResponse

    /// What the client gets of an error that the function reports in the place of a reply; nil: ``page(_:)``.
    func failed(_ document: [UInt8]) -> WireResponse?

    /// The front end's own answer when there is none of the function.
    func page(_ failure: GatewayFailure) -> ErrorPage
}

extension Gateway {
    var replyLimit: Int { RuntimeAPIServer.replyLimit }
    var canStream: Bool { false }
    var preludeLimit: Int? { nil }
    func takesPrelude(_ contentType: String?) -> Bool { false }
    func failed(_ document: [UInt8]) -> WireResponse? { nil }
    func eventText(_ request: GatewayRequest) throws -> [UInt8] { try event(request).bytes() }
    func head(_ prelude: [UInt8]) throws(UnusableReply) -> WireResponse { throw UnusableReply("\(name) cannot stream") }

    func undivided(_ payload: [UInt8], contentType: String?) throws(UnusableReply) -> WireResponse {
        throw UnusableReply("there are no eight NULs behind a prelude")
    }

    /// They cannot tell it from any other reply.
    func collected(_ payload: [UInt8], contentType: String?) throws(UnusableReply) -> WireResponse { try response(payload) }
}

/// Why a client gets an answer of the front end itself.
enum GatewayFailure: Sendable {
    case badRequest
    /// The body is over ``Gateway/requestLimit``.
    case bodyTooLarge
    /// The event is over Lambda's limit.
    case eventTooLarge
    /// The function failed, timed out, or gave a reply that cannot be used.
    case function
}

/// A request that the front end does not pass on: answered with 400.
struct GatewayRefusal: Error {
    let reason: String
}

/// A reply of the function that the front end cannot use, and why.
struct UnusableReply: Error {
    let reason: String
    init(_ reason: String) { self.reason = reason }
}

/// An answer of the front end's own.
struct ErrorPage: Sendable {
    let status: Int
    let contentType: String
    let body: String

    static func json(_ status: Int, _ body: String) -> ErrorPage {
        ErrorPage(status: status, contentType: "application/json", body: body)
    }
}
