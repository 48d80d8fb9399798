import SluiceTestSupport
import Testing

@testable import SluiceCore
@testable import SluiceStreaming

@Suite struct BodyTests {
    @Test("wrappers run outside-in around the writing, plain bytes included")
    func wrappers() async throws {
        for body in [Body.bytes([1, 2]), Body.stream { try await $0.write([1, 2]) }] {
            let notes = Collected<String>()
            let inner: Body.Wrapper = { writer, inner in
                notes.add("+inner")
                try await inner(writer)
                notes.add("-inner \(writer.bytesWritten)")
            }
            let outer: Body.Wrapper = { writer, inner in
                notes.add("+outer")
                try await inner(writer)
                notes.add("-outer")
            }
            let sink = CollectingSink(limit: 10)
            try await body.write(to: BodyWriter(sink), in: [inner, outer])
            #expect(sink.finish() == [1, 2])
            #expect(notes.values == ["+outer", "+inner", "-inner 2", "-outer"])
        }
    }

    @Test("a collecting sink refuses what is over its limit and what comes after the end")
    func limits() async throws {
        let sink = CollectingSink(limit: 3)
        try await sink.write([1, 2, 3])
        await #expect(throws: BodyWriterError.tooLarge(size: 4, limit: 3)) { try await sink.write([4]) }
        #expect(sink.finish() == [1, 2, 3])
        await #expect(throws: BodyWriterError.finished) { try await sink.write([]) }
    }

    @Test(
        "an event's text follows the standard, and nobody can smuggle a line into it",
        arguments: [
            (ServerSentEvent("a"), "data: a\n\n"), (ServerSentEvent("a\nb\r\nc\rd"), "data: a\ndata: b\ndata: c\ndata: d\n\n"),
            (ServerSentEvent("", event: "x\ndata: y", id: "1\r\n\02"), "event: xdata: y\nid: 12\ndata: \n\n"),
            (ServerSentEvent("a", retry: .milliseconds(1500)), "retry: 1500\ndata: a\n\n"),
            (ServerSentEvent("a", retry: .seconds(-1)), "retry: 0\ndata: a\n\n"),
            (ServerSentEvent("a", retry: .seconds(Int64.min) * 4), "retry: 0\ndata: a\n\n"),
            (ServerSentEvent("a", retry: .seconds(Int64.max) * 4), "retry: 9223372036854775000\ndata: a\n\n"),
            (ServerSentEvent("a", retry: .seconds(Int64.max)), "retry: 9223372036854775000\ndata: a\n\n"),
            (ServerSentEvent("a\n\u{301}b\r\n\r\n"), "data: a\ndata: \u{301}b\ndata: \ndata: \n\n"),
        ])
    func events(_ event: ServerSentEvent, text: String) { #expect(event.text == text) }
}
