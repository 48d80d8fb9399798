import Foundation
import SluiceTestSupport

#if canImport(Glibc)
import Glibc
#elseif canImport(Darwin)
import Darwin
#endif

@testable import SluiceCore
@testable import SluiceMiddleware

/// A folder of files, and what serves it. The files go with the last one who holds it.
final class Site: Sendable {
    private let folder = TemporaryFolder()
    /// What is served; beside it may lie what must not be.
    let root: String

    /// When the files were changed, unless a test says otherwise: seconds since 1970.
    static let day = 1_000_000_000
    static let lastModified = "Sun, 09 Sep 2001 01:46:40 GMT"

    /// - Parameter files: Names below the root, and what the files hold.
    init(_ files: [String: String] = [:]) throws {
        root = folder.path + "/root"
        try FileManager.default.createDirectory(atPath: root, withIntermediateDirectories: true)
        for (name, text) in files { try write(name, Array(text.utf8)) }
    }

    /// Where a name lies; one that begins with `../` lies beside the root.
    func path(_ name: String) -> String {
        name.hasPrefix("../") ? "\(folder.path)/\(name.dropFirst(3))" : "\(root)/\(name)"
    }

    /// Writes a file, in place where there is one, and the folders above it.
    func write(_ name: String, _ bytes: [UInt8], seconds: Int = Site.day, nanoseconds: Int = 0) throws {
        let file = URL(fileURLWithPath: path(name))
        try FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(bytes).write(to: file)
        let time = timespec(tv_sec: seconds, tv_nsec: nanoseconds)
        guard utimensat(AT_FDCWD, path(name), [time, time], 0) == 0 else { throw SystemError.last("utimensat") }
    }

    /// Makes a symbolic link.
    func link(_ name: String, to target: String) throws {
        try FileManager.default.createSymbolicLink(atPath: path(name), withDestinationPath: target)
    }

    /// The number of a file, and when the system saw it change: nobody can set that.
    func change(_ name: String) throws -> (inode: UInt64, seconds: Int, nanoseconds: Int) {
        var status = stat()
        guard lstat(path(name), &status) == 0 else { throw SystemError.last("lstat") }
        #if canImport(Glibc)
        let time = status.st_ctim
        #else
        let time = status.st_ctimespec
        #endif
        return (UInt64(status.st_ino), Int(time.tv_sec), Int(time.tv_nsec))
    }

    /// What a client gets from the folder, and from the routes below it.
    func serve(_ request: Request, with files: StaticFiles? = nil, _ routes: Router = Router()) async -> Response {
        let files = files ?? StaticFiles(from: root)
        return await respond(request) {
            files
            routes
        }
    }

    /// What a client gets with GET.
    func get(_ target: String, _ headers: HTTPFields = [:]) async -> Response {
        await serve(Request(.get, target, headers: headers))
    }

    /// A file of the folder as a handler's response.
    func file(
        _ name: String, contentType: String? = nil, filename: String? = nil, for request: Request? = nil
    ) throws -> Response {
        try .file(path(name), contentType: contentType, filename: filename, for: request)
    }
}

/// Random numbers that are the same in every run: a failure can be had again.
struct Dice: RandomNumberGenerator {
    private var state: UInt64

    init(_ seed: UInt64) { state = seed }

    /// SplitMix64.
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }

    mutating func bytes(_ count: Int) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(count + 8)
        while bytes.count < count {
            let number = next()
            for shift in stride(from: 0, to: 64, by: 8) { bytes.append(UInt8(truncatingIfNeeded: number >> UInt64(shift))) }
        }
        bytes.removeLast(bytes.count - count)
        return bytes
    }
}
