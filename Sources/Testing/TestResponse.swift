internal import FoundationEssentials
public import HTTPTypes

/// A whole response.
public struct TestResponse: Sendable {
    /// What the client got.
    public let status: HTTPResponse.Status
    /// What the client got; through a Function URL with what that adds.
    public let headers: HTTPFields
    /// The body's chunks as they were written, or, through a Function URL, as they came; a body that is no stream in one.
    public let chunks: TestChunks
    /// What the response stands for, or what cut it; nil where nothing failed. Through a Function URL it is what reporters heard of.
    public let error: (any Error)?
    /// Whether the body broke off after the head had come.
    public let isCut: Bool

    /// The whole body, or what came of it.
    public var bytes: [UInt8] { Array(chunks.all.joined()) }
    /// The body as text; bytes that are not UTF-8 are replaced.
    public var text: String { String(decoding: bytes, as: UTF8.self) }

    /// The body as JSON; dates are ISO 8601.
    ///
    /// - Throws: `DecodingError`.
    public func decode<Value: Decodable>(_ type: Value.Type) throws -> Value {
        let decoder = JSONDecoder()
        decoder.dateDecodingStrategy = .iso8601
        return try decoder.decode(type, from: Data(bytes))
    }
}

/// Chunks that have come, in order: a sequence for `for try await` and for `for`.
public struct TestChunks: AsyncSequence, Sequence, Sendable {
    /// One chunk.
    public typealias Element = [UInt8]

    let all: [[UInt8]]

    /// How many there are.
    public var count: Int { all.count }

    /// Each as text.
    public var texts: [String] { all.map { String(decoding: $0, as: UTF8.self) } }

    /// Goes through them.
    public func makeIterator() -> IndexingIterator<[[UInt8]]> { all.makeIterator() }

    /// Goes through them.
    public func makeAsyncIterator() -> AsyncIterator { AsyncIterator(chunks: all.makeIterator()) }

    /// Goes through the chunks.
    public struct AsyncIterator: AsyncIteratorProtocol {
        var chunks: IndexingIterator<[[UInt8]]>

        /// The next one.
        public mutating func next() async -> [UInt8]? { chunks.next() }
    }
}
