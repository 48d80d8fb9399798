public import HTTPTypes
internal import SluiceCore

/// The parts of a `multipart/form-data` body, in the order sent: fields and files.
///
/// - SeeAlso: RFC 7578, <https://www.rfc-editor.org/rfc/rfc7578>; RFC 2046, section 5.1.
public struct Multipart: Sendable {
    /// One field or one file.
    public struct Part: Sendable {
        /// The field's name.
        public let name: String
        /// The file's name as the client has it, without any folder; nil for a plain field. It is the client's word: never a path to write to.
        public let filename: String?
        /// What the client says the content is; nil where it says nothing.
        public var contentType: String? { headers[.contentType] }
        /// All headers of the part.
        public let headers: HTTPFields
        /// The content.
        public let bytes: [UInt8]

        /// The content as text; octets that are not UTF-8 are replaced.
        public var text: String { String(decoding: bytes, as: UTF8.self) }
    }

    /// Fields and files in the order sent.
    public let parts: [Part]

    /// How many parts there may be: 1000.
    public static let partLimit = 1000
    /// How many bytes the headers of one part may have: 16 KiB.
    public static let headerLimit = 16_384

    /// The first part of this name.
    public subscript(name: String) -> Part? { parts.first { $0.name.isSame(as: name) } }

    /// Every part of this name, in order.
    public func all(_ name: String) -> [Part] { parts.filter { $0.name.isSame(as: name) } }

    /// The first file of this name.
    ///
    /// - Throws: ``HTTPError``, a 400 that names the field, when there is none, or when the browser sent an empty choice.
    public func requireFile(_ name: String) throws -> Part {
        guard let file = all(name).first(where: { $0.filename?.isEmpty == false }) else {
            throw HTTPError(.badRequest, "the file '\(name)' is missing")
        }
        return file
    }
}

extension Request {
    /// The body as `multipart/form-data`, in memory: Lambda delivers 6 MB at most.
    ///
    /// - Throws: ``HTTPError``: a 415 where the body says that it is something else, a 400 that says what is wrong: no boundary, no
    ///   end, a part without a name, more than 1000 parts, more than 16 KiB of headers.
    public func multipart() throws -> Multipart {
        guard let type = MediaType(headers[.contentType] ?? ""), type.essence == "multipart/form-data" else {
            throw HTTPError(.unsupportedMediaType, "a form was expected: Content-Type multipart/form-data")
        }
        guard let boundary = type["boundary"], (1...70).contains(boundary.utf8.count), boundary.utf8.last != 0x20,
            boundary.utf8.allSatisfy({ (0x20...0x7E).contains($0) })
        else { throw MultipartParser.malformed("its Content-Type has no boundary of 1 to 70 characters") }
        var parser = MultipartParser(try wholeBody(), boundary: Array(boundary.utf8))
        return Multipart(parts: try parser.parts())
    }
}
