/// Finds the eight NULs between prelude and body in a stream of chunks, whose boundaries mean nothing.
struct PreludeScanner {
    private var held: [UInt8] = []
    private(set) var isDone = false

    /// Takes bytes; once the prelude is whole, returns it with what follows. Nil while more is needed.
    mutating func take(_ bytes: [UInt8]) -> (prelude: [UInt8], rest: [UInt8])? {
        held += bytes
        guard let first = held.firstIndex(of: 0) else { return nil }  // JSON has no raw NUL, so the first begins the eight
        guard held.count >= first + 8 else { return nil }
        isDone = true
        return (Array(held[..<first]), Array(held[(first + 8)...]))
    }

    /// Whether the eight bytes behind the prelude are all NUL.
    var delimiterIsWhole: Bool {
        guard let first = held.firstIndex(of: 0), held.count >= first + 8 else { return false }
        return held[first..<first + 8].allSatisfy { $0 == 0 }
    }

    /// How many bytes have come before it was done.
    var count: Int { held.count }
}
