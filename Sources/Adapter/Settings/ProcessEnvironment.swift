internal import SluiceCore

#if canImport(Glibc)
internal import Glibc
#elseif canImport(Darwin)
internal import Darwin
#endif

/// The process's environment, read once at start.
enum ProcessEnvironment {
    static func all() -> Environment {
        var result = Environment()
        var entry = environ
        while let line = entry.pointee {
            if let equals = strchr(line, 0x3D) {
                let name = UnsafeRawBufferPointer(start: line, count: equals - line)
                result[String(decoding: name, as: UTF8.self)] = String(cString: equals + 1)
            }
            entry += 1
        }
        return result
    }
}
