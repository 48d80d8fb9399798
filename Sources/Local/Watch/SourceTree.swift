internal import FoundationEssentials

#if canImport(Glibc)
internal import Glibc
#elseif canImport(Darwin)
internal import Darwin
#endif

/// What the sources are at one moment: path, size and time of each file. Looked at again and again, not told by the system: that works on
/// shared and mounted folders too, and however an editor writes.
struct SourceTree: Equatable {
    private struct Stamp: Equatable {
        let file: UInt64
        let size: Int64
        let seconds: Int
        let nanoseconds: Int
    }

    private var files: [String: Stamp] = [:]

    init(_ build: WatchedBuild) {
        for path in [build.package + "/Package.swift"] + build.folders { add(path, depth: 0) }
    }

    /// A file that is new, changed or gone; nil where there is none.
    func difference(from older: SourceTree) -> String? {
        if self == older { return nil }
        let changed = files.filter { older.files[$0.key] != $0.value }.keys.min()
        return changed ?? older.files.keys.filter { files[$0] == nil }.min()
    }

    private mutating func add(_ path: String, depth: Int) {
        var status = stat()
        // What a link leads to counts, and what has just gone does not. No tree is that deep, but a link may lead upwards.
        guard depth < 32, stat(path, &status) == 0 else { return }
        guard status.st_mode & S_IFMT == S_IFDIR else {
            #if canImport(Glibc)
            let time = status.st_mtim
            #else
            let time = status.st_mtimespec
            #endif
            files[path] = Stamp(
                file: UInt64(status.st_ino), size: Int64(status.st_size), seconds: time.tv_sec, nanoseconds: time.tv_nsec)
            return
        }
        // One that cannot be read is as good as empty: the build says more.
        for name in (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? [] {
            // Hidden ones, and what editors leave beside a file.
            if name.hasPrefix(".") || name.hasSuffix("~") || name.hasPrefix("#") { continue }
            add("\(path)/\(name)", depth: depth + 1)
        }
    }
}
