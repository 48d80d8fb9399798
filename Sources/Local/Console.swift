#if canImport(Glibc)
internal import Glibc
#elseif canImport(Darwin)
internal import Darwin
#endif

/// What the person at the terminal reads: one `write(2)` for each line, so that lines of the app do not cut into ours.
struct Console: Sendable {
    /// Descriptors: standard output and standard error.
    var output: CInt = 1
    var problems: CInt = 2
    /// Whose lines they are; nil for the first sandbox, which most often is the only one, and for what is nobody's.
    var sandbox: Int?

    /// The sandbox stands at the end of the first line.
    func line(_ text: String) {
        guard let sandbox else { return put(text + "\n", to: output) }
        let end = text.utf8.firstIndex(of: 0x0A) ?? text.endIndex
        put("\(text[..<end])  sandbox \(sandbox)\(text[end...])\n", to: output)
    }

    func problem(_ text: String) {
        put("local\(sandbox.map { ", sandbox \($0)" } ?? ""): \(text)\n", to: problems)
    }

    private func put(_ text: String, to descriptor: CInt) {
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return }  // nobody reads any more, and that is not our caller's problem
            rest = rest.dropFirst(count)
        }
    }
}
