public import FoundationEssentials
public import HTTPTypes
public import SluiceCore
public import SluiceStreaming

extension Response {
    /// A body of the chunks that a sequence gives, each sent when it is there: a slow reader slows the sequence down.
    ///
    /// An error of the sequence before its first chunk is an honest 500; after it the body is cut.
    public static func stream<Chunks: AsyncSequence & Sendable>(
        contentType: String, status: HTTPResponse.Status = .ok, headers: HTTPFields = [:], _ chunks: Chunks
    ) -> Response where Chunks.Element == [UInt8] {
        stream(contentType: contentType, status: status, headers: headers) { writer in
            for try await chunk in chunks { try await writer.write(chunk) }
        }
    }

    /// As the form for bytes, with text, which is sent as UTF-8.
    public static func stream<Chunks: AsyncSequence & Sendable>(
        contentType: String, status: HTTPResponse.Status = .ok, headers: HTTPFields = [:], _ chunks: Chunks
    ) -> Response where Chunks.Element == String {
        stream(contentType: contentType, status: status, headers: headers) { writer in
            for try await chunk in chunks { try await writer.write(chunk) }
        }
    }

    /// As the form for bytes, with `Data`.
    @_alwaysEmitIntoClient
    public static func stream<Chunks: AsyncSequence & Sendable>(
        contentType: String, status: HTTPResponse.Status = .ok, headers: HTTPFields = [:], _ chunks: Chunks
    ) -> Response where Chunks.Element == Data {
        stream(contentType: contentType, status: status, headers: headers) { writer in
            for try await chunk in chunks { try await writer.write([UInt8](chunk)) }
        }
    }

    /// Values as lines of JSON, `application/x-ndjson`, each sent when it is there.
    ///
    /// - Parameter request: Whose app's ``JSONCoders`` write them; the standard ones when left out. A coder that makes more than one line
    ///   of a value (`prettyPrinted`) breaks the form.
    @_alwaysEmitIntoClient
    public static func ndjson<Values: AsyncSequence & Sendable>(
        _ values: Values, status: HTTPResponse.Status = .ok, headers: HTTPFields = [:], for request: Request? = nil
    ) -> Response where Values.Element: Encodable {
        let coders = request?.coders
        return stream(contentType: "application/x-ndjson", status: status, headers: headers) { writer in
            let encoder = JSONCoders.encoder(of: coders)
            for try await value in values { try await writer.write([UInt8](try encoder.encode(value)) + [0x0A]) }
        }
    }

    /// Rows as comma-separated values (RFC 4180), each sent when it is there.
    ///
    /// A field that holds a quotation mark, a comma or a line break is quoted. Nothing is done about fields that a spreadsheet would take
    /// for a formula.
    /// - Parameters:
    ///   - header: The names of the columns; nil for none.
    ///   - rows: A row is its fields, in order.
    public static func csv<Rows: AsyncSequence & Sendable>(
        header: [String]? = nil, _ rows: Rows, status: HTTPResponse.Status = .ok, headers: HTTPFields = [:]
    ) -> Response where Rows.Element == [String] {
        let type = header == nil ? "text/csv; charset=utf-8" : "text/csv; charset=utf-8; header=present"
        return stream(contentType: type, status: status, headers: headers) { writer in
            if let header { try await writer.write(CSV.line(header)) }
            for try await row in rows { try await writer.write(CSV.line(row)) }
        }
    }

    /// As the form for an asynchronous sequence, with rows that are there already.
    public static func csv(
        header: [String]? = nil, _ rows: some Sequence<[String]>, status: HTTPResponse.Status = .ok, headers: HTTPFields = [:]
    ) -> Response {
        var headers = headers
        headers[.contentType] = header == nil ? "text/csv; charset=utf-8" : "text/csv; charset=utf-8; header=present"
        var bytes = header.map(CSV.line) ?? []
        for row in rows { bytes += CSV.line(row) }
        return Response(status: status, headers: headers, body: .bytes(bytes))
    }
}

/// Lines of RFC 4180.
enum CSV {
    static func line(_ fields: [String]) -> [UInt8] {
        var bytes: [UInt8] = []
        for (index, field) in fields.enumerated() {
            if index > 0 { bytes.append(0x2C) }
            // A single empty field would be an empty line.
            let isQuoted =
                (fields.count == 1 && field.isEmpty)
                || field.utf8.contains { $0 == 0x22 || $0 == 0x2C || $0 == 0x0A || $0 == 0x0D }
            guard isQuoted else {
                bytes += field.utf8
                continue
            }
            bytes.append(0x22)
            for octet in field.utf8 {
                if octet == 0x22 { bytes.append(0x22) }
                bytes.append(octet)
            }
            bytes.append(0x22)
        }
        return bytes + [0x0D, 0x0A]
    }
}
