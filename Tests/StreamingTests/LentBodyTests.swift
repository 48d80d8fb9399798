import SluiceTestSupport
import Synchronization
import Testing

@testable import SluiceCore
@testable import SluiceStreaming

/// What a wrapper owes to the body that it is lent, and a body to its writer.
@Suite struct LentBodyTests {
    struct Boom: Error {}

    private func bytes(of body: Body, _ wrappers: [Body.Wrapper]) async throws -> [UInt8] {
        let sink = CollectingSink(limit: 100)
        try await body.write(to: BodyWriter(sink), in: wrappers)
        return sink.finish()
    }

    static let bodies = [Body.bytes([1, 2]), .stream { try await $0.write([1, 2]) }]

    @Test("a wrapper that never calls the body is an error, not an empty body", arguments: [0, 1])
    func never(_ index: Int) async {
        await #expect(throws: BodyWrapperError.neverCalled) { try await bytes(of: Self.bodies[index], [{ _, _ in }]) }
    }

    @Test("a wrapper that calls the body twice is an error, also where it hides that", arguments: [0, 1])
    func twice(_ index: Int) async {
        await #expect(throws: BodyWrapperError.calledTwice) {
            try await bytes(
                of: Self.bodies[index],
                [
                    { writer, body in
                        try await body(writer)
                        try? await body(writer)
                    }
                ])
        }
    }

    @Test("the error of a body is passed on, whatever a wrapper does with it")
    func swallowed() async {
        let failing = Body.stream { _ in throw Boom() }
        await #expect(throws: Boom.self) {
            try await bytes(of: failing, [{ writer, body in try? await body(writer) }, { try await $1($0) }])
        }
    }

    @Test("what a wrapper could not write is missed, though it says nothing")
    func refused() async {
        let sink = CollectingSink(limit: 2)
        await #expect(throws: BodyWriterError.tooLarge(size: 3, limit: 2)) {
            try await Body.bytes([1, 2]).write(
                to: BodyWriter(sink),
                in: [
                    { writer, body in
                        try await body(writer)
                        try? await writer.write([3])
                    }
                ])
        }
    }

    @Test("a wrapper's own error counts")
    func own() async {
        struct Other: Error {}
        let failing = Body.stream { _ in throw Boom() }
        await #expect(throws: Other.self) {
            try await bytes(of: failing, [{ writer, body in do { try await body(writer) } catch { throw Other() } }])
        }
    }

    @Test("a writer ends with the closure that it was lent to, whether that returned or threw")
    func sealed() async throws {
        for fails in [false, true] {
            let kept = Mutex<[BodyWriter]>([])
            let body = Body.stream { writer in
                kept.withLock { $0.append(writer) }
                if fails { throw Boom() }
            }
            let sink = CollectingSink(limit: 100)
            try? await body.write(
                to: BodyWriter(sink),
                in: [
                    { writer, body in
                        defer { kept.withLock { $0.append(writer) } }
                        try await body(writer)
                        // The wrapper's own writer is still good.
                        try await writer.write([7])
                    }
                ])
            for writer in kept.withLock({ $0 }) {
                await #expect(throws: BodyWriterError.finished) { try await writer.write([1]) }
                await #expect(throws: BodyWriterError.finished) { try await writer.write([UInt8]()) }
                await #expect(throws: BodyWriterError.finished) { try await writer.flush() }
            }
            #expect(sink.finish() == (fails ? [] : [7]))
        }
    }
}
