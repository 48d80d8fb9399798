internal import FoundationEssentials
internal import SluiceStreaming
internal import SluiceCore

/// Takes one `/response` from the app and gives the client what a Function URL would make of it.
struct Relay: Sendable {
    let server: RuntimeAPIServer
    let connection: ServerConnection

    private static let prelude = "application/vnd.awslambda.http-integration-response"
    private static let errorType = "lambda-runtime-function-error-type"
    private static let errorBody = "lambda-runtime-function-error-body"

    private var urlStreams: Bool { server.settings.urlMode == .responseStream }

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
            await invocation.reply.fail(502, "Internal Server Error")
        }
        server.broker.complete(invocation)
    }

    // MARK: Buffered

    private func buffered(_ invocation: LocalInvocation) async throws -> Bool {
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
        if urlStreams {
            invocation.notes.append(
                "mode mismatch: the Function URL streams, the app answered buffered: the client gets the JSON envelope as the body"
            )
            await invocation.reply.send(200, [("content-type", "application/octet-stream")], body)
        } else {
            await sendEnvelope(body, invocation)
        }
        server.broker.complete(invocation)
        return keepsAlive
    }

    private func sendEnvelope(_ body: [UInt8], _ invocation: LocalInvocation) async {
        guard let response = try? JSONDecoder().decode(WireResponse.self, from: Data(body)) else {
            // What has no statusCode is a body: 200, application/json. What has one and cannot be read is malformed.
            if body.firstRange(of: Array("\"statusCode\"".utf8)) != nil {
                invocation.notes.append("the envelope is malformed: \(String(decoding: body.prefix(200), as: UTF8.self))")
                return await invocation.reply.fail(502, "Internal Server Error")
            }
            return await invocation.reply.send(200, [("content-type", "application/json")], body)
        }
        guard response.problem == nil, let bytes = response.bytes else {
            invocation.notes.append("the envelope is malformed: \(response.problem ?? "the body is no base64")")
            return await invocation.reply.fail(502, "Internal Server Error")
        }
        await invocation.reply.send(response.statusCode, response.lines, bytes)
    }

    // MARK: Streamed

    private func streamed(_ head: HTTPMessageHead, _ invocation: LocalInvocation) async throws -> Bool {
        invocation.mode = "streamed"
        let hasPrelude = head["content-type"] == Self.prelude
        if urlStreams, hasPrelude {
            try await relay(invocation)
        } else {
            // A buffered URL collects everything; a stream of another type is passed on as it is.
            if !urlStreams {
                invocation.notes.append(
                    "mode mismatch: the Function URL is buffered, the app streamed: the client gets prelude, eight NULs and body"
                )
            }
            guard let all = try await connection.wholeBody(limit: 200 * 1024 * 1024) else {
                invocation.platformError = "Function.ResponseSizeTooLarge"
                invocation.notes.append("the stream is over 200 MB: Function.ResponseSizeTooLarge")
                await cutOrFail(invocation)
                return false
            }
            invocation.produced(all.count)
            invocation.endAnswer()
            await invocation.reply.send(200, [("content-type", head["content-type"] ?? "application/octet-stream")], all)
        }
        noteTrailers(head, invocation)
        server.broker.complete(invocation)
        return try await server.accept(connection)
    }

    private func relay(_ invocation: LocalInvocation) async throws {
        var scanner = PreludeScanner()
        while let part = try await connection.nextPart() {
            invocation.produced(part.count)
            if scanner.isDone {
                await invocation.reply.write(part)
            } else if let (prelude, rest) = scanner.take(part) {
                await begin(prelude, scanner.delimiterIsWhole, invocation)
                await invocation.reply.write(rest)
            }
        }
        invocation.endAnswer()
        if !scanner.isDone {
            invocation.notes.append("the stream ended before the eight NULs behind the prelude")
            await invocation.reply.fail(502, "Internal Server Error")
        }
        await invocation.reply.end()
    }

    private func begin(_ prelude: [UInt8], _ delimiterIsWhole: Bool, _ invocation: LocalInvocation) async {
        let response = try? JSONDecoder().decode(WireResponse.self, from: Data(prelude))
        guard delimiterIsWhole, let response, response.problem == nil else {
            let text = String(decoding: prelude.prefix(200), as: UTF8.self)
            let why = delimiterIsWhole ? response?.problem ?? "no JSON with a statusCode" : "fewer than eight NULs follow it"
            invocation.notes.append("the prelude is malformed (\(why)): \(text)")
            return await invocation.reply.fail(502, "Internal Server Error")
        }
        await invocation.reply.begin(response.statusCode, response.lines)
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
