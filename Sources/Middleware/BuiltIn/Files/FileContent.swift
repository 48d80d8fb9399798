internal import SluiceCore

#if canImport(Glibc)
internal import Glibc
#elseif canImport(Darwin)
internal import Darwin
#endif

/// An open file: its size, its age and its bytes. Closed when nobody has it any more.
final class FileContent: Sendable {
    private let descriptor: CInt
    let size: Int
    /// Nil where the date is one that packagers give to every file, so that equal contents make equal zips.
    let modified: WallClock.Instant?
    let isFolder: Bool
    /// What tells this content from every other one that this process has seen.
    let identity: Identity

    struct Identity: Hashable {
        let device: UInt64
        let inode: UInt64
        let size: Int
        let seconds: Int
        let nanoseconds: Int
        /// When the file itself was last changed, whatever date it was given.
        let changedSeconds: Int
        let changedNanoseconds: Int
    }

    /// Takes a descriptor over.
    private init(_ descriptor: CInt) throws(SystemError) {
        self.descriptor = descriptor
        var status = stat()
        let code = fstat(descriptor, &status)
        size = Int(status.st_size)
        #if canImport(Glibc)
        let (time, change) = (status.st_mtim, status.st_ctim)
        #else
        let (time, change) = (status.st_mtimespec, status.st_ctimespec)
        #endif
        modified = time.tv_sec > Self.lastBuildDate ? WallClock.Instant(millisecondsSinceEpoch: Int64(time.tv_sec) * 1000) : nil
        isFolder = status.st_mode & S_IFMT == S_IFDIR
        identity = Identity(
            device: UInt64(truncatingIfNeeded: status.st_dev), inode: UInt64(status.st_ino), size: size, seconds: time.tv_sec,
            nanoseconds: time.tv_nsec, changedSeconds: change.tv_sec, changedNanoseconds: change.tv_nsec)
        isRegular = status.st_mode & S_IFMT == S_IFREG
        guard code == 0 else { throw SystemError(code: errno, call: "fstat") }
    }

    /// 1980-01-02: the first day that a zip can name, wherever its clock stands.
    private static let lastBuildDate = 315_619_200
    private let isRegular: Bool

    /// Opens what can be served.
    ///
    /// - Returns: Nil where there is nothing, or what is neither a file nor a folder: a pipe would hold its reader up.
    /// - Throws: ``SystemError``, where it is there and cannot be opened.
    private static func open(_ call: () -> CInt) throws(SystemError) -> FileContent? {
        let descriptor = call()
        guard descriptor >= 0 else {
            switch errno {
            case ENOENT, ENOTDIR, ELOOP, ENAMETOOLONG, ENXIO, ENODEV: return nil
            default: throw SystemError(code: errno, call: "open")
            }
        }
        let content = try FileContent(descriptor)
        return content.isFolder || content.isRegular ? content : nil
    }

    deinit { close(descriptor) }

    /// Opens a file or a folder by its path, links followed: the caller vouches for it.
    ///
    /// - Throws: ``SystemError``, where it is there and cannot be opened.
    static func at(_ path: String) throws(SystemError) -> FileContent? {
        // C would read the path up to there.
        guard !path.utf8.contains(0) else { return nil }
        #if canImport(Glibc)
        return try open { Glibc.open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK) }
        #else
        return try open { Darwin.open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK) }
        #endif
    }

    /// Opens what lies below this folder, by its names one after the other. No symbolic link is followed: each could lead out.
    ///
    /// - Throws: ``SystemError``, where it is there and cannot be opened.
    func below(_ names: [String]) throws(SystemError) -> FileContent? {
        var folder = self
        for name in names {
            guard !name.utf8.contains(0x2F), !name.utf8.contains(0), name != "..", name != ".", !name.isEmpty else {
                return nil
            }
            let parent = folder.descriptor
            guard let next = try Self.open({ openat(parent, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW) }) else {
                return nil
            }
            folder = next
        }
        return folder
    }

    /// The bytes of a range, as far as the file has them.
    ///
    /// - Throws: ``SystemError``, where the disk fails or the file has become shorter than it was.
    func read(_ range: Range<Int>) throws(SystemError) -> [UInt8] {
        var failure: CInt = 0
        let bytes = [UInt8](unsafeUninitializedCapacity: range.count) { space, filled in
            guard let base = space.baseAddress else { return }
            while filled < range.count {
                let count = pread(descriptor, base + filled, range.count - filled, off_t(range.lowerBound + filled))
                if count < 0, errno == EINTR { continue }
                guard count > 0 else {
                    failure = count == 0 ? EIO : errno
                    return
                }
                filled += count
            }
        }
        guard failure == 0 else { throw SystemError(code: failure, call: "pread") }
        return bytes
    }

    /// How much is read at once.
    static let piece = 262_144

    /// The bytes of a range as a body: read at once where they are few, else piece by piece as they are sent.
    func body(_ range: Range<Int>) throws(SystemError) -> Body {
        if range.count <= Self.piece { return .bytes(try read(range)) }
        return .stream { writer in
            for start in stride(from: range.lowerBound, to: range.upperBound, by: Self.piece) {
                try await writer.write(try self.read(start..<min(start + Self.piece, range.upperBound)))
            }
        }
    }
}
