/// Takes everything and keeps nothing: the body of a response that may have none.
package struct DiscardingSink: BodySink {
    package init() {}
    package func write(_ bytes: [UInt8], _ seal: Seal?) async throws { try seal.check() }
    package func flush(_ seal: Seal?) async throws { try seal.check() }
    package var bytesWritten: Int { 0 }
    package var headIsGone: Bool { false }
    package var failure: BodyWriterError? { nil }
}
