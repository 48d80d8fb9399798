internal import HTTPTypes
internal import SluiceCore
internal import SluiceStreaming

/// What a client reads of a stream that failed after its head had left: `response.failureMarker = .serverSentEvent`.
///
/// The platform ends such a stream cleanly, with trailers that no browser sees: without a word in the body itself a client cannot tell a cut
/// stream from a whole one. The marker is the last thing that is written, also where the deadline guard ends the stream between two
/// chunks. A body with a content encoding gets none: its decoder would stumble. Nothing is written for a failure before the head has left:
/// then the client gets an error's own response.
public struct FailureMarker: Sendable {
    fileprivate let bytes: @Sendable (HTTPError, Request) -> [UInt8]

    /// A marker of your own.
    ///
    /// - Parameter bytes: What stands at the end of the body. Of an error that is no `HTTPError` it gets a 500 that tells the client nothing.
    ///   It is called before the body begins, too, with the 504 of a time-out: should that come, there is no time for it then.
    public init(_ bytes: @escaping @Sendable (_ error: HTTPError, _ request: Request) -> [UInt8]) { self.bytes = bytes }

    /// An `error` event of server-sent events, its data a problem in JSON (RFC 9457) on one line.
    public static let serverSentEvent = FailureMarker { error, request in
        // The empty line ends an event that was left half written; behind a whole one it means nothing.
        Array("\n\nevent: error\ndata: ".utf8) + problem(error, request) + Array("\n\n".utf8)
    }

    /// A last line of JSON lines: `{"error":{…}}`, with a problem (RFC 9457).
    public static let jsonLine = FailureMarker { error, request in
        Array("{\"error\":".utf8) + problem(error, request) + Array("}\n".utf8)
    }

    private static func problem(_ error: HTTPError, _ request: Request) -> [UInt8] {
        problemResponse(to: error, for: request).body.plainBytes
    }
}

extension Response {
    /// What the client reads where the body fails after the head has left; nothing unless set.
    public var failureMarker: FailureMarker? {
        get { parts.failureMarker }
        set { parts.failureMarker = newValue }
    }

    /// What is to be written at the end of a body that this error has cut; empty where nothing is.
    package func failureMark(of error: any Error, for request: Request) -> [UInt8] {
        guard let failureMarker, headers[.contentEncoding].map({ $0.isSame(ignoringCase: "identity") }) ?? true else {
            return []
        }
        return failureMarker.bytes(HTTPError(respondingTo: error), request)
    }
}
