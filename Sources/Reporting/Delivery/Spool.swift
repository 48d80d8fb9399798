#if canImport(Glibc)
internal import Glibc
#elseif canImport(Darwin)
internal import Darwin
#endif

/// Envelopes on disk, one file each, from just after their capture until the server has them: a kill at any moment loses nothing.
///
/// Each destination has a folder of its own, so that one app's reports never go to another's server. Names begin with the time, so
/// that they sort by age.
struct Spool: Sendable {
    /// In bytes, all files together.
    static let sizeLimit = 64 << 20
    static let ageLimit = Duration.seconds(3 * 86_400)
    static let suffix = ".envelope"

    let folder: String

    /// - Parameters:
    ///   - root: An absolute path; made when missing.
    ///   - destination: What tells one server, project and key from another.
    init(root: String, destination: String) {
        folder = root + "/" + Self.name(of: destination)
    }

    /// A short name that is the same in every process.
    private static func name(of text: String) -> String {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in text.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
        return ReportID.hex(hash)
    }

    /// Writes a file whole, or not at all; for the owner's eyes only.
    ///
    /// - Returns: Its name.
    /// - Throws: ``SpoolError``; no file is left then.
    func write(_ bytes: [UInt8], id: String, at now: Deadline) throws(SpoolError) -> String {
        let name = "\(now.millisecondsSinceEpoch)-\(id)\(Self.suffix)"
        try replace(name, bytes)
        return name
    }

    /// Writes a file of this name whole, or leaves what was there.
    func replace(_ name: String, _ bytes: [UInt8]) throws(SpoolError) {
        let path = folder + "/" + name
        let temporary = path + ".tmp"
        var descriptor = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        if descriptor < 0, errno == ENOENT {
            try makeFolder()
            descriptor = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        }
        guard descriptor >= 0 else { throw SpoolError(code: errno, path: folder) }
        var written = 0
        while written < bytes.count {
            let count = bytes.withUnsafeBytes { all in
                #if canImport(Glibc)
                Glibc.write(descriptor, all.baseAddress.map { $0 + written }, bytes.count - written)
                #else
                Darwin.write(descriptor, all.baseAddress.map { $0 + written }, bytes.count - written)
                #endif
            }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else {
                let code = errno
                close(descriptor)
                unlink(temporary)
                throw SpoolError(code: code, path: folder)
            }
            written += count
        }
        close(descriptor)
        guard rename(temporary, path) == 0 else {
            let code = errno
            unlink(temporary)
            throw SpoolError(code: code, path: folder)
        }
    }

    private func makeFolder() throws(SpoolError) {
        var path = ""
        for part in folder.split(separator: "/") {
            path += "/" + part
            guard mkdir(path, 0o700) != 0, errno != EEXIST else { continue }
            throw SpoolError(code: errno, path: folder)
        }
    }

    /// The envelope in a file; nil when it is gone.
    func read(_ name: String) -> [UInt8]? {
        let descriptor = open(folder + "/" + name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var part = [UInt8](repeating: 0, count: 65_536)
        while true {
            #if canImport(Glibc)
            let count = Glibc.read(descriptor, &part, part.count)
            #else
            let count = Darwin.read(descriptor, &part, part.count)
            #endif
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { return nil }
            guard count > 0 else { return bytes }
            bytes += part[..<count]
            guard bytes.count <= Self.sizeLimit else { return nil }
        }
    }

    /// The server has it, or never will.
    func remove(_ name: String) {
        // Gone already is as good.
        unlink(folder + "/" + name)
    }

    /// Names and sizes, oldest first. What a kill left half-written is removed.
    func list() -> [(name: String, size: Int)] {
        guard let directory = opendir(folder) else { return [] }
        defer { closedir(directory) }
        var names: [(name: String, size: Int)] = []
        while let entry = readdir(directory) {
            let name = withUnsafeBytes(of: entry.pointee.d_name) { raw in
                String(decoding: raw.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name.hasSuffix(Self.suffix + ".tmp") {
                unlink(folder + "/" + name)
                continue
            }
            var status = stat()
            guard name.hasSuffix(Self.suffix), lstat(folder + "/" + name, &status) == 0 else { continue }
            names.append((name, Int(status.st_size)))
        }
        return names.sorted { $0.name < $1.name }
    }

    /// When a file was captured.
    static func time(of name: String) -> Deadline? {
        name.split(separator: "-").first.flatMap { Int64($0) }.map { Deadline(millisecondsSinceEpoch: $0) }
    }
}

/// The disk did not take a report.
struct SpoolError: Error, CustomStringConvertible {
    let code: Int32
    let path: String

    var description: String { "reports cannot be kept in \(path): \(String(cString: strerror(code)))" }
}
