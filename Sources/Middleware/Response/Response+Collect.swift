internal import SluiceStreaming

extension Response {
    /// This response with its body written into memory: how buffered mode answers.
    ///
    /// An error of the body becomes the response, by `responder`, as nothing has left yet.
    package func collected(limit: Int, orRespond respond: (any Error) -> Response) async -> Response {
        guard !isPlain else { return self }
        let sink = CollectingSink(limit: limit)
        do {
            try await writeBody(to: BodyWriter(sink))
            var whole = self
            whole.wrappers = []
            whole.body = .bytes(sink.finish())
            return whole
        } catch {
            _ = sink.finish()
            return respond(error)
        }
    }
}
