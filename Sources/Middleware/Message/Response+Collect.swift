internal import SluiceStreaming

extension Response {
    /// This answer with its body written into memory: how buffered mode answers.
    ///
    /// An error of the body becomes the answer, as nothing has left yet.
    package func collected(for request: Request, with answer: ErrorAnswer, limit: Int) async -> Response {
        guard !body.isPlain else { return self }
        let sink = CollectingSink(limit: limit)
        do {
            try await body.write(to: BodyWriter(sink))
            var whole = self
            whole.body = .bytes(sink.finish())
            return whole
        } catch {
            _ = sink.finish()
            return replaced(by: error, for: request, with: answer)
        }
    }
}
