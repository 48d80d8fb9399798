internal import Synchronization
package import SluiceCore

#if canImport(Glibc)
internal import Glibc
#elseif canImport(Darwin)
internal import Darwin
#endif

/// Envelopes on disk, one file each, from just after their capture until the server has them: a kill at any moment loses nothing.
///
/// Each destination has a folder of its own, so that one app's reports never go to another's server. It is used only where it is ours and
/// nobody else's: in a shared `/tmp` others could plant reports, or lead ours away. Names begin with the time, so that they sort
/// by age.
package final class Spool: Sendable {
    /// The limit in bytes of all files together.
    static let sizeLimit = 64 << 20
    static let ageLimit = Duration.seconds(3 * 86_400)
    static let suffix = ".envelope"

    let folder: String
    /// The folder, once it has been opened and looked at. All files are reached through it, so that no other folder can be put in its
    /// place.
    private let directory = Mutex<Folder?>(nil)

    /// An open folder: closed when the last one who works in it is done.
    private final class Folder: Sendable {
        let descriptor: CInt
        init(_ descriptor: CInt) { self.descriptor = descriptor }
        deinit { close(descriptor) }
    }

    /// Where spools are when the environment says nothing.
    package static let standardRoot = "/tmp/sluice-spool"

    /// `SLUICE_SPOOL`, an absolute path; nil where it is not set.
    ///
    /// - Throws: ``RelativeSpool`` for a relative one.
    package static func root(in environment: Environment) throws(RelativeSpool) -> String? {
        guard let root = environment["SLUICE_SPOOL"], !root.isEmpty else { return nil }
        guard root.utf8.first == UInt8(ascii: "/") else { throw RelativeSpool(path: root) }
        return root
    }

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
        return RandomID.hex(hash)
    }

    // MARK: The folder

    /// - Parameter makes: Whether a folder that is missing, or that somebody has removed, is made.
    /// - Throws: ``SpoolError``; also where the folder is not ours alone.
    private func opened(makes: Bool) throws(SpoolError) -> Folder {
        try directory.withLock { (directory: inout Folder?) throws(SpoolError) in
            var status = stat()
            // No link leads to a folder that was removed.
            if let directory, fstat(directory.descriptor, &status) == 0, status.st_nlink > 0 { return directory }
            directory = nil
            var descriptor = openFolder()
            if descriptor < 0, errno == ENOENT, makes {
                try makeFolder()
                descriptor = openFolder()
            }
            guard descriptor >= 0 else { throw SpoolError(code: errno, path: folder) }
            let opened = Folder(descriptor)
            guard fstat(descriptor, &status) == 0, status.st_uid == geteuid(), status.st_mode & 0o077 == 0 else {
                throw SpoolError(code: EACCES, path: folder, isForeign: true)
            }
            directory = opened
            return opened
        }
    }

    private func openFolder() -> CInt { open(folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC) }

    private func makeFolder() throws(SpoolError) {
        var path = ""
        for part in folder.utf8.split(separator: UInt8(ascii: "/")) {
            path += "/" + String(decoding: part, as: UTF8.self)
            guard mkdir(path, 0o700) != 0, errno != EEXIST else { continue }
            throw SpoolError(code: errno, path: folder)
        }
    }

    // MARK: Files

    /// Writes a file whole, or not at all; for the owner's eyes only.
    ///
    /// - Returns: Its name.
    /// - Throws: ``SpoolError``; no file is left then.
    func write(_ bytes: [UInt8], id: String, at now: WallClock.Instant) throws(SpoolError) -> String {
        let name = "\(now.millisecondsSinceEpoch)-\(id)\(Self.suffix)"
        try replace(name, bytes)
        return name
    }

    /// Writes a file of this name whole, or leaves what was there.
    func replace(_ name: String, _ bytes: [UInt8]) throws(SpoolError) {
        let directory = try opened(makes: true)
        let temporary = name + ".tmp"
        // What may stand in its place, a pipe say, must not hold us up.
        let descriptor = openat(
            directory.descriptor, temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0o600)
        guard descriptor >= 0 else { throw SpoolError(code: errno, path: folder) }
        let code = Self.write(bytes, to: descriptor)
        close(descriptor)
        guard code == 0, renameat(directory.descriptor, temporary, directory.descriptor, name) == 0 else {
            let code = code == 0 ? errno : code
            unlinkat(directory.descriptor, temporary, 0)
            throw SpoolError(code: code, path: folder)
        }
    }

    /// 0, or an `errno`.
    private static func write(_ bytes: [UInt8], to descriptor: CInt) -> Int32 {
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
            guard count > 0 else { return count < 0 ? errno : ENOSPC }
            written += count
        }
        return 0
    }

    /// The envelope in a file; nil when it is gone, or is no file of ours.
    ///
    /// - Throws: ``SpoolError`` where it is there and cannot be read now.
    func read(_ name: String) throws(SpoolError) -> [UInt8]? {
        let directory: Folder
        do throws(SpoolError) {
            directory = try opened(makes: false)
        } catch  where error.code == ENOENT || error.isForeign {
            return nil
        }
        let descriptor = openat(directory.descriptor, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
        guard descriptor >= 0 else {
            // A link, and what cannot be opened because it is no file, are none of ours.
            if [ENOENT, ELOOP, ENXIO, EACCES].contains(errno) { return nil }
            throw SpoolError(code: errno, path: folder)
        }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0, Self.isOurs(status), status.st_size <= Self.sizeLimit else { return nil }
        var bytes: [UInt8] = []
        var part = [UInt8](repeating: 0, count: 65_536)
        while true {
            #if canImport(Glibc)
            let count = Glibc.read(descriptor, &part, part.count)
            #else
            let count = Darwin.read(descriptor, &part, part.count)
            #endif
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw SpoolError(code: errno, path: folder) }
            guard count > 0, bytes.count <= Self.sizeLimit else { return bytes }
            bytes += part[..<count]
        }
    }

    private static func isOurs(_ status: stat) -> Bool {
        status.st_mode & S_IFMT == S_IFREG && status.st_uid == geteuid()
    }

    /// The server has it, or never will.
    func remove(_ name: String) {
        // Gone already is as good.
        if let directory = try? opened(makes: false) { unlinkat(directory.descriptor, name, 0) }
    }

    /// Names and sizes, oldest first. What a kill left half-written is removed; what is no file of ours is left alone.
    ///
    /// - Throws: ``SpoolError`` where the folder is there and cannot be used.
    func list() throws(SpoolError) -> [(name: String, size: Int)] {
        let folder: Folder
        do throws(SpoolError) {
            folder = try opened(makes: false)
        } catch  where error.code == ENOENT {
            return []
        }
        let descriptor = openat(folder.descriptor, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0, let directory = fdopendir(descriptor) else {
            let code = errno
            if descriptor >= 0 { close(descriptor) }
            throw SpoolError(code: code, path: self.folder)
        }
        defer { closedir(directory) }
        var names: [(name: String, size: Int)] = []
        while let entry = readdir(directory) {
            // In place: an entry ends with its name, which is as a rule shorter than its type says.
            guard let offset = MemoryLayout<dirent>.offset(of: \.d_name) else { continue }
            let name = String(cString: (UnsafeRawPointer(entry) + offset).assumingMemoryBound(to: CChar.self))
            if name.hasSuffix(Self.suffix + ".tmp") {
                unlinkat(folder.descriptor, name, 0)
                continue
            }
            var status = stat()
            guard name.hasSuffix(Self.suffix), fstatat(folder.descriptor, name, &status, AT_SYMLINK_NOFOLLOW) == 0,
                Self.isOurs(status)
            else { continue }
            names.append((name, Int(status.st_size)))
        }
        return names.sorted { $0.name < $1.name }
    }

    /// When a file was captured.
    static func time(of name: String) -> WallClock.Instant? {
        let digits = name.utf8.prefix { $0 != UInt8(ascii: "-") }
        return Int64(String(decoding: digits, as: UTF8.self)).map { WallClock.Instant(millisecondsSinceEpoch: $0) }
    }
}

/// The disk did not take a report.
struct SpoolError: Error, CustomStringConvertible {
    let code: Int32
    let path: String
    /// The folder is somebody else's, or open to others.
    var isForeign = false

    var description: String {
        let why = isForeign ? "the folder must be ours, and nobody else may enter it (0700)" : String(cString: strerror(code))
        return "reports cannot be kept in \(path): \(why)"
    }
}

/// The spool's folder is not named by an absolute path.
package struct RelativeSpool: Error {
    package let path: String
}
