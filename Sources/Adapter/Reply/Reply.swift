internal import HTTPTypes
internal import Logging
internal import SluiceMiddleware
internal import SluiceStreaming
internal import Synchronization

/// The reply to one invocation, in either mode: who may give it, over which connection, and in what form. The worker and the deadline
/// guard speak to it alone, and every byte that the Runtime API gets for a usable invocation is written behind it.
///
/// What is said here of the worker is called on its loop.
final class Reply: Sendable {
    /// Decides who may give it; see ``ReplyPhase``.
    let token = ReplyToken()
    private let id: String
    private let settings: Settings
    private let client: Confined<RuntimeClient>
    private let known = Mutex(Known())
    private let knownForm = Atomic(EventForm.functionURL.rawValue)
    private let told = Atomic<UInt64>(0)

    private struct Known {
        /// Once a stream has been begun, or a whole reply is sent as one.
        var stream: StreamReply?
        /// The status that the stream begins with.
        var status: Int?
        /// The status of what the guard gives, should it take the reply untouched.
        var guardStatus: Int?
        /// What the body of a stream ends with that the guard ends.
        var timeoutMark: [UInt8] = []
        /// The connection of a stream that the guard has taken.
        var taken: RuntimeConnection.Shared?
    }

    /// - Parameters:
    ///   - id: The invocation's.
    ///   - client: The worker's, confined to its loop.
    init(to id: String, _ settings: Settings, _ client: RuntimeClient) {
        self.id = id
        self.settings = settings
        self.client = Confined(client)
    }

    // MARK: What it looks like

    /// The form of the event, which is the reply's: that of a Function URL until it is known.
    var form: EventForm {
        get { EventForm(rawValue: knownForm.load(ordering: .relaxed)) ?? .functionURL }
        set { knownForm.store(newValue.rawValue, ordering: .relaxed) }
    }

    /// Whether it is a stream on the wire: a front end that cannot stream gets a whole reply, whatever the settings say.
    private var streams: Bool { settings.invokeMode == .responseStream && form.streams }

    /// Whether a response is written while its body is produced; else it is collected, and sent in one message.
    func isWrittenAsItComes(_ response: Response) -> Bool {
        streams && !failsInvocation(response.status)
            && !(response.isPlain && response.body.plainBytes.count < RuntimeClient.joined)
    }

    /// Whether `AWS_LWA_ERROR_STATUS_CODES` lists a status: a response with it is sent as an error of the function.
    func failsInvocation(_ status: HTTPResponse.Status) -> Bool { settings.errorStatusCodes.contains(status.code) }

    /// The largest body that is collected, in bytes.
    static let limit = BufferedReply.limit

    /// A response that is all there, in the form in which it leaves.
    struct Draft {
        fileprivate enum Form {
            case buffered(BufferedReply)
            case streamed(StreamForm, [UInt8])
        }
        fileprivate let form: Form
        fileprivate let status: Int
        /// Of the body, before it was put into its form.
        fileprivate let bytes: Int
        /// Why it cannot leave so.
        let problem: ReplyTooLarge?
    }

    func draft(_ response: Response, to method: HTTPRequest.Method) -> Draft {
        let event = form
        if streams {
            let form = StreamForm(response, to: method, settings.emptyStream, as: event)
            return Draft(
                form: .streamed(form, response.body.plainBytes), status: response.status.code,
                bytes: response.body.plainBytes.count, problem: form.problem)
        }
        let reply = BufferedReply.encode(response, as: event)
        if event == .loadBalancer || event == .lattice1 { Self.tellOfCookies(response, event) }
        return Draft(
            form: .buffered(reply), status: response.status.code, bytes: response.body.plainBytes.count,
            problem: reply.count > event.replyLimit ? ReplyTooLarge(size: reply.count, limit: event.replyLimit) : nil)
    }

    /// Once is enough: it is said for whoever sets the front end up.
    private static func tellOfCookies(_ response: Response, _ form: EventForm) {
        guard response.headers[values: .setCookie].count > 1 else { return }
        cookieWarning.once {
            let what = form == .loadBalancer ? "turn its target group's multi-value headers on" : "use its event version 2"
            Logger(label: "sluice").warning(
                "\(form.frontEnd) takes one Set-Cookie of each response, and gets the last one: \(what)")
        }
    }

    private static let cookieWarning = Once()

    // MARK: The worker

    /// What came of an attempt to commit.
    enum Commitment {
        /// What the worker tells of its response is true from here on.
        case made
        /// The guard has the reply, and the record of it.
        case takenOver
        /// The Runtime API has stopped reading.
        case broken
    }

    /// The worker commits itself to the response that it has, before it accounts for it.
    func commit() -> Commitment { token.take(.settle) ? .made : token.isTakenOver ? .takenOver : .broken }

    /// Sends a response that is all there, in one message. Does nothing where the guard has taken the reply meanwhile.
    ///
    /// - Throws: ``ReplyRefused``, ``RuntimeAPIError``, or `BodyWriterError` when the Runtime API no longer reads.
    func send(_ draft: Draft) async throws {
        switch draft.form {
        case .buffered(let bytes):
            guard token.take(.whole) else { return }
            tell(ReplyEnd(.response, status: draft.status, bytes: draft.bytes))
            try await client.value.respond(id, bytes)
        case .streamed(let form, let bytes):
            try await stream(form, draft.status).writeWhole(bytes)
        }
    }

    /// Sends an error instead of a response.
    ///
    /// - Throws: As ``send(_:)``.
    func fail(_ document: ErrorDocument) async throws {
        guard token.take(.whole) else { return }
        tell(ReplyEnd(.error))
        try await client.value.fail(id, document)
    }

    /// Sends the result of an event that is no HTTP request: JSON, in one message whatever the invoke mode is.
    ///
    /// - Throws: As ``send(_:)``.
    func send(result json: [UInt8]) async throws {
        guard token.take(.whole) else { return }
        tell(ReplyEnd(.response, bytes: json.count))
        try await client.value.respond(id, json)
    }

    /// The path to which events go that are no HTTP requests and have no handler; nil where they go nowhere.
    var passThroughPath: String? { settings.passThroughPath }

    /// Begins a stream: nothing leaves before its first byte.
    ///
    /// - Throws: ``ReplyTooLarge``: its head cannot be expressed.
    func stream(_ response: Response, to method: HTTPRequest.Method) throws(ReplyTooLarge) -> StreamReply {
        let form = StreamForm(response, to: method, settings.emptyStream, as: form)
        if let problem = form.problem { throw problem }
        return stream(form, response.status.code, tellsCancellation: response.body.isStream)
    }

    private func stream(_ form: StreamForm, _ status: Int, tellsCancellation: Bool = false) -> StreamReply {
        let stream = StreamReply(id, client.value, token, form, tellsCancellation: tellsCancellation)
        known.withLock { ($0.stream, $0.status) = (stream, status) }
        return stream
    }

    /// The invocation is over: the connection is closed, unless it was given back.
    func letGo() { known.withLock(\.stream)?.letGo() }

    // MARK: What became of it

    /// What has been done by now. A stream speaks for itself, unless somebody has said otherwise.
    var end: ReplyEnd {
        let told = ReplyEnd(word: told.load(ordering: .acquiring))
        guard told.kind == .nothing else { return told }
        let (stream, status) = known.withLock { ($0.stream, $0.status) }
        guard let stream, stream.headIsGone else { return told }
        return ReplyEnd(stream.endsWithError ? .trailers : .response, status: status, bytes: stream.bytesWritten)
    }

    /// The Runtime API did not take it.
    func wasRefused() {
        let end = end
        tell(ReplyEnd(.refused, status: end.status, bytes: end.bytes))
    }

    private func tell(_ end: ReplyEnd) { told.store(end.word, ordering: .releasing) }

    /// Keeps what the body of a stream ends with should the guard end it: made beforehand, as the app's own code is not for its thread.
    func keep(timeoutMark bytes: [UInt8]) {
        if !bytes.isEmpty { known.withLock { $0.timeoutMark = bytes } }
    }

    // MARK: The deadline guard, on a loop of its own

    /// How far a reply was that the guard has taken.
    enum Taken {
        /// Nothing has left: the guard gives it.
        case untouched
        /// A stream, all of whose chunks are whole: the guard ends it.
        case begun
    }

    /// The status of a stream whose head has left; nil where none has.
    var sentStatus: Int? { known.withLock { $0.stream?.headIsGone == true ? $0.status : nil } }

    /// What the guard will give, should it take the reply untouched: said before it tries.
    func announce(_ response: Response) { known.withLock { $0.guardStatus = response.status.code } }

    /// The status that the client gets where the guard has taken the reply untouched.
    var guardStatus: HTTPResponse.Status { known.withLock(\.guardStatus).map { .init(code: $0) } ?? .gatewayTimeout }

    /// Takes the reply over, when the chunk in hand is whole; nil where its worker has committed itself to a response of its
    /// own, or where the stream broke or was cut meanwhile.
    func takeOver(on loop: EventLoop) async throws -> Taken? {
        guard let phase = token.phaseTaking(.claim) else { return nil }
        if phase == .open { return .untouched }
        while token.current == .claimed { try await loop.pause(for: .milliseconds(2)) }
        guard token.current == .handed, let connection = known.withLock(\.stream)?.shared else { return nil }
        known.withLock { $0.taken = connection }
        return .begun
    }

    /// Gives a reply that was ``Taken/untouched``.
    ///
    /// - Throws: As ``send(_:)``.
    func give(_ response: Response, to method: HTTPRequest.Method, on loop: EventLoop) async throws {
        let client = RuntimeClient(loop, address: client.address)
        tell(ReplyEnd(.response, status: response.status.code, bytes: response.body.plainBytes.count))
        let event = form
        guard streams else { return try await client.respond(id, BufferedReply.encode(response, as: event)) }
        let stream = StreamReply(id, client, ReplyToken(), StreamForm(response, to: method, .bare, as: event))
        try await stream.write(response.body.plainBytes)
        try await stream.finish()
    }

    /// Gives an error in the place of a reply that was ``Taken/untouched``.
    ///
    /// - Throws: As ``send(_:)``.
    func give(_ document: ErrorDocument, on loop: EventLoop) async throws {
        tell(ReplyEnd(.error))
        try await RuntimeClient(loop, address: client.address).fail(id, document)
    }

    /// Ends a stream that was ``Taken/begun``, with trailers, and waits for the service to have read them: the worker closes afterwards.
    func end(with document: ErrorDocument, on loop: EventLoop) async throws {
        let (stream, taken, mark) = known.withLock { ($0.stream, $0.taken, $0.timeoutMark) }
        guard let stream, let taken else { return }
        tell(ReplyEnd(.trailers, status: sentStatus, bytes: stream.bytesWritten + mark.count))
        let chunk = mark.isEmpty ? [] : HTTPWriter.chunkSize(mark.count) + mark + HTTPWriter.crlf
        try await loop.send(stream.takeHeld() + chunk + HTTPWriter.lastChunk(document.trailers), on: taken.socket)
        var ignored: [UInt8] = []
        _ = try await loop.receive(appendingTo: &ignored, from: taken.socket, cancellable: false)
    }

    /// Cuts a stream that is stuck in the middle of a chunk, so that its writer wakes up; false where there is none.
    func cut() -> Bool {
        guard token.take(.seize) else { return false }
        tell(ReplyEnd(.cut, status: sentStatus))
        known.withLock(\.stream)?.cut()
        return true
    }

    /// Gives the reply up. False while its worker is sending it, who then holds nothing back.
    func abandon() -> Bool {
        if token.isTakenOver || known.withLock(\.stream)?.failure != nil { return true }
        return token.take(.abandon)
    }
}
