internal import CSluiceRuntime

/// The readable form of a Swift symbol's name; other names as they are. Very long ones are cut.
package func demangle(_ mangled: String) -> String {
    withUnsafeTemporaryAllocation(of: CChar.self, capacity: 4096) { buffer in
        guard let start = buffer.baseAddress else { return mangled }
        let length = sluice_demangle(mangled, start, buffer.count)
        guard length > 0 else { return mangled }
        return String(decoding: UnsafeRawBufferPointer(start: start, count: length), as: UTF8.self)
    }
}
