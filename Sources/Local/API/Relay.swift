internal import FoundationEssentials
internal import SluiceStreaming
internal import SluiceCore

/// Takes one `/response` from the app and gives the client what the front end would make of it.
struct Relay: Sendable {
    let server: RuntimeAPIServer
    let connection: ServerConnection

    init(_ server: RuntimeAPIServer, _ connection: ServerConnection) { (self.server, self.connection) = (server, connection) }

    /// Whether the response reaches this client while the app writes it.
    private func streams(_ invocation: LocalInvocation) -> Bool {
        server.settings.urlMode == .responseStream && invocation.reply.gateway.canStream
    }

    private static let errorType = "lambda-runtime-function-error-type"
    private static let errorBody = "lambda-runtime-function-error-body"
    private static let streamLimit = 200 * 1024 * 1024

    func response(_ head: HTTPMessageHead, _ id: String) async throws -> Bool {
        let mode = head["lambda-runtime-function-response-mode"]
        guard mode == nil || mode == "streaming" else {
            return try await server.refuse(
                connection, 400, "InvalidFunctionResponseMode",
                "Invalid function response mode: the header has one legal value, 'streaming'; a buffered response omits it")
        }
        guard let invocation = server.broker.open(id) else { return try await server.unknownID(connection) }
        if mode == "streaming", head["transfer-encoding"]?.lowercased() != "chunked" {
            return try await server.refuse(
                connection, 400, "InvalidRequest", "a streamed response needs Transfer-Encoding: chunked")
        }
        invocation.phase = .responding
        do {
            if mode == "streaming" {
                return try await streamed(head, invocation)
            }
            return try await buffered(invocation)
        } catch let error as HTTPParseError {
            invocation.platformError = "Runtime.TruncatedResponse"
            invocation.notes.append("the response was cut off: \(error). Lambda counts Runtime.TruncatedResponse")
            await cutOrFail(invocation)
            return try await server.refuse(
                connection, 400, "TruncatedHTTPRequest", "HTTP request detected as truncated: \(error)")
        } catch let error as SystemError {
            invocation.notes.append(
                "the app's connection broke under its response: \(error). Lambda counts Runtime.TruncatedResponse")
            await cutOrFail(invocation)
            return false
        }
    }

    private func cutOrFail(_ invocation: LocalInvocation) async {
        if invocation.reply.hasBegun {
            invocation.reply.cut()
        } else {
            await invocation.reply.fail(.function)
        }
        server.broker.complete(invocation)
    }

    /// Sends a whole response, or the front end's own where the app's cannot be used.
    private func send(
        _ payload: [UInt8], as what: String, _ invocation: LocalInvocation,
        _ read: ([UInt8]) throws(UnusableReply) -> WireResponse
    ) async {
        let gateway = invocation.reply.gateway
        do throws(UnusableReply) {
            guard payload.count <= gateway.replyLimit else {
                throw UnusableReply("\(gateway.name) takes up to \(gateway.replyLimit) bytes, these are \(payload.count)")
            }
            let response = try read(payload)
            invocation.notes += response.notes
            await invocation.reply.send(response)
        } catch {
            let text = String(decoding: payload.prefix(200), as: UTF8.self)
            invocation.notes.append("\(what) is malformed (\(error.reason)): \(text)")
            await invocation.reply.fail(.function)
        }
    }

    // MARK: Buffered

    private func buffered(_ invocation: LocalInvocation) async throws -> Bool {
        let gateway = invocation.reply.gateway
        invocation.mode = "buffered"
        guard let body = try await connection.wholeBody(limit: RuntimeAPIServer.replyLimit) else {
            invocation.platformError = "Function.ResponseSizeTooLarge"
            invocation.notes.append("the response is over \(RuntimeAPIServer.replyLimit) bytes: Function.ResponseSizeTooLarge")
            await cutOrFail(invocation)
            return try await server.refuse(
                connection, 413, "RequestEntityTooLarge",
                "Exceeded maximum allowed payload size (\(RuntimeAPIServer.replyLimit) bytes).")
        }
        invocation.produced(body.count)
        invocation.endAnswer()
        // Taken: what the client makes of it is no longer the app's time.
        let keepsAlive = try await server.accept(connection)
        server.broker.answered(invocation)
        if streams(invocation) {
            invocation.notes.append(
                "mode mismatch: \(gateway.name) streams, the app answered buffered: the payload is the JSON envelope")
            await send(body, as: "the response", invocation) { (body) throws(UnusableReply) in
                try gateway.undivided(body, contentType: nil)
            }
        } else {
            await send(body, as: "the envelope", invocation) { (body) throws(UnusableReply) in try gateway.response(body) }
        }
        server.broker.complete(invocation)
        return keepsAlive
    }

    // MARK: Streamed

    private func streamed(_ head: HTTPMessageHead, _ invocation: LocalInvocation) async throws -> Bool {
        let gateway = invocation.reply.gateway
        invocation.mode = "streamed"
        if streams(invocation), gateway.takesPrelude(head["content-type"]) {
            try await relay(invocation)
        } else {
            guard let all = try await connection.wholeBody(limit: Self.streamLimit) else {
                invocation.platformError = "Function.ResponseSizeTooLarge"
                invocation.notes.append("the stream is over 200 MB: Function.ResponseSizeTooLarge")
                await cutOrFail(invocation)
                return false
            }
            invocation.produced(all.count)
            invocation.endAnswer()
            await sendCollected(all, head["content-type"], invocation)
        }
        noteTrailers(head, invocation)
        server.broker.complete(invocation)
        return try await server.accept(connection)
    }

    private func sendCollected(_ all: [UInt8], _ contentType: String?, _ invocation: LocalInvocation) async {
        let gateway = invocation.reply.gateway
        if streams(invocation) {
            return await send(all, as: "the stream", invocation) { (all) throws(UnusableReply) in
                try gateway.undivided(all, contentType: contentType)
            }
        }
        invocation.notes.append(
            gateway.canStream
                ? "mode mismatch: \(gateway.name) is buffered, the app streamed: the payload is prelude, eight NULs and body"
                : "\(gateway.name) cannot stream, the app streamed: the payload is prelude, eight NULs and body")
        await send(all, as: "the collected stream", invocation) { (all) throws(UnusableReply) in
            try gateway.collected(all, contentType: contentType)
        }
    }

    private func relay(_ invocation: LocalInvocation) async throws {
        let gateway = invocation.reply.gateway
        var scanner = PreludeScanner()
        while let part = try await connection.nextPart() {
            invocation.produced(part.count)
            if scanner.isDone || invocation.reply.hasBegun {
                await invocation.reply.write(part)
            } else if let (prelude, rest) = scanner.take(part) {
                await begin(prelude, scanner.delimiterIsWhole, invocation)
                await invocation.reply.write(rest)
            } else if let limit = gateway.preludeLimit, scanner.count >= limit {
                await failWithout("no delimiter in the first \(limit) bytes of the stream", invocation)
            }
        }
        invocation.endAnswer()
        if !scanner.isDone, !invocation.reply.hasBegun {
            await failWithout("the stream ended before the eight NULs behind the prelude", invocation)
        }
        await invocation.reply.end()
    }

    private func failWithout(_ reason: String, _ invocation: LocalInvocation) async {
        invocation.notes.append(reason)
        await invocation.reply.fail(.function)
    }

    private func begin(_ prelude: [UInt8], _ delimiterIsWhole: Bool, _ invocation: LocalInvocation) async {
        let gateway = invocation.reply.gateway
        do throws(UnusableReply) {
            if let limit = gateway.preludeLimit, prelude.count + 8 > limit {
                throw UnusableReply("no delimiter in the first \(limit) bytes of the stream")
            }
            guard delimiterIsWhole else { throw UnusableReply("fewer than eight NULs follow it") }
            let response = try gateway.head(prelude)
            invocation.notes += response.notes
            await invocation.reply.begin(response)
        } catch {
            let text = String(decoding: prelude.prefix(200), as: UTF8.self)
            await failWithout("the prelude is malformed (\(error.reason)): \(text)", invocation)
        }
    }

    private func noteTrailers(_ head: HTTPMessageHead, _ invocation: LocalInvocation) {
        let announced = Set((head["trailer"] ?? "").lowercased().parts(at: ",").map(\.withoutBlanks))
        for trailer in connection.trailers where !announced.contains(trailer.name) {
            invocation.notes.append("the trailer '\(trailer.name)' was not announced in the head: it is ignored")
        }
        guard let type = connection.trailers.first(where: { $0.name == Self.errorType && announced.contains($0.name) }) else {
            return
        }
        let body = connection.trailers.first { $0.name == Self.errorBody }.flatMap { Data(base64Encoded: $0.value) }
        let text = body.map { String(decoding: $0, as: UTF8.self) } ?? "(no body, or no base64)"
        invocation.notes.append(
            "the stream ended with an error, which a client cannot see: \(RuntimeAPIServer.platformType(type.value)) \(text)")
    }
}
