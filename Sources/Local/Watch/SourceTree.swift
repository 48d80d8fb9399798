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

    private struct Folder: Hashable {
        let device: UInt64
        let file: UInt64
    }

    private var files: [String: Stamp] = [:]

    init(_ build: WatchedBuild) {
        var seen: Set<Folder> = []
        for path in [build.package + "/Package.swift"] + build.folders { add(path, &seen) }
    }

    /// A file that is new, changed or gone; nil where there is none.
    func difference(from older: SourceTree) -> String? {
        if self == older { return nil }
        let changed = files.filter { older.files[$0.key] != $0.value }.keys.min()
        return changed ?? older.files.keys.filter { files[$0] == nil }.min()
    }

    /// - Parameter seen: Folders that were listed: a link may lead upwards.
    private mutating func add(_ path: String, _ seen: inout Set<Folder>) {
        var status = stat()
        // What a link leads to counts, and what has just gone does not.
        guard stat(path, &status) == 0 else { return }
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
        guard seen.insert(Folder(device: UInt64(status.st_dev), file: UInt64(status.st_ino))).inserted else { return }
        // One that cannot be read is as good as empty: the build says more. In order: a folder that two links lead to has one path.
        for name in ((try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []).sorted() {
            // Hidden ones, and what editors leave beside a file.
            if name.hasPrefix(".") || name.hasSuffix("~") || name.hasPrefix("#") { continue }
            add("\(path)/\(name)", &seen)
        }
    }
}
