/// Where a streamed body goes. Each write awaits the one below it, so a slow reader slows the producer.
///
/// May be used from any task, actor or executor; writes that come at once wait in line. A writer belongs to one body: once the
/// body's closure has returned or thrown, every write throws ``BodyWriterError/finished`` and nothing of it reaches the wire.
public struct BodyWriter: Sendable {
    private let sink: any BodySink
    private let seal: Seal?

    package init(_ sink: any BodySink) { (self.sink, seal) = (sink, nil) }

    private init(_ sink: any BodySink, _ seal: Seal) { (self.sink, self.seal) = (sink, seal) }

    /// Lends `body` a writer that ends with it.
    package func lent(_ body: (BodyWriter) async throws -> Void) async throws {
        let seal = Seal(in: seal)
        defer { seal.close() }
        try await body(BodyWriter(sink, seal))
    }

    /// Sends bytes. An empty array sends nothing: on the wire a chunk of no bytes would end the body.
    ///
    /// The first write sends the status and the headers as well; until then an error is still an honest 500.
    /// - Throws: ``BodyWriterError`` when the body is over, has grown past the mode's limit, or the reader is gone.
    public func write(_ bytes: [UInt8]) async throws { try await sink.write(bytes, seal) }

    /// Sends text as UTF-8.
    ///
    /// - Throws: As ``write(_:)-([UInt8])``.
    public func write(_ text: String) async throws { try await sink.write(Array(text.utf8), seal) }

    /// Sends the status and the headers now, though there is no byte of the body yet.
    ///
    /// From then on an error can no longer change the status. Under buffered mode this does nothing.
    ///
    /// - Throws: As ``write(_:)-([UInt8])``.
    public func flush() async throws { try await sink.flush(seal) }

    /// How many bytes of the body have been accepted so far.
    public var bytesWritten: Int { sink.bytesWritten }

    /// - Throws: The refusal of an earlier write that the body's closure has kept to itself: a cut body must not look complete.
    func checkComplete() throws {
        if let failure = sink.failure { throw failure }
    }

    /// Whether status and headers are still with us: an error now changes the response.
    public var canStillChangeStatus: Bool { !sink.headIsGone }
}

/// What a ``BodyWriter`` writes to.
package protocol BodySink: Sendable {
    /// Takes bytes, unless the seal is closed: the sink checks it where it takes them.
    func write(_ bytes: [UInt8], _ seal: Seal?) async throws
    func flush(_ seal: Seal?) async throws
    var bytesWritten: Int { get }
    var headIsGone: Bool { get }
    /// Why a write was refused, from the first refusal on.
    var failure: BodyWriterError? { get }
}
