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
    let modified: WallClock.Instant
    let isFolder: Bool
    /// What tells this content from every other one that this process has seen.
    let identity: Identity

    struct Identity: Hashable {
        let device: UInt64
        let inode: UInt64
        let size: Int
        let seconds: Int
        let nanoseconds: Int
    }

    /// Takes a descriptor over.
    private init(_ descriptor: CInt) throws(SystemError) {
        self.descriptor = descriptor
        var status = stat()
        let code = fstat(descriptor, &status)
        size = Int(status.st_size)
        #if canImport(Glibc)
        let time = status.st_mtim
        #else
        let time = status.st_mtimespec
        #endif
        modified = WallClock.Instant(millisecondsSinceEpoch: Int64(time.tv_sec) * 1000)
        isFolder = status.st_mode & S_IFMT == S_IFDIR
        identity = Identity(
            device: UInt64(truncatingIfNeeded: status.st_dev), inode: UInt64(status.st_ino), size: size, seconds: time.tv_sec,
            nanoseconds: time.tv_nsec)
        // No pipe, which would hold its reader up, and no device.
        guard code == 0, isFolder || status.st_mode & S_IFMT == S_IFREG else { throw SystemError(code: errno, call: "fstat") }
    }

    deinit { close(descriptor) }

    /// Opens a file or a folder by its path, links followed: the caller vouches for it.
    convenience init?(path: String) {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { return nil }
        try? self.init(descriptor)  // what cannot be used is as if it were not there
    }

    /// Opens what lies below this folder, by its names one after the other. No symbolic link is followed: each could lead out.
    func below(_ names: [String]) -> FileContent? {
        var folder = self
        for name in names {
            guard !name.utf8.contains(0x2F), !name.utf8.contains(0), name != "..", name != ".", !name.isEmpty else {
                return nil
            }
            let descriptor = openat(folder.descriptor, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW)
            guard descriptor >= 0, let next = try? FileContent(descriptor) else { return nil }
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
