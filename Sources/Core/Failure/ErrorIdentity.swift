/// Whether two errors are one.
package enum ErrorIdentity {
    /// The address of an error's box; 0 where the representation is another one than expected.
    static func address(_ error: any Error) -> UInt {
        guard MemoryLayout<any Error>.size == MemoryLayout<UInt>.size else { return 0 }
        // Written out: a bare `error` would be opened, and its value taken apart instead of its box.
        return unsafeBitCast(error as any Error, to: UInt.self)
    }

    /// Whether both are the same throw, handed on.
    package static func isSameBox(_ a: any Error, _ b: any Error) -> Bool {
        let first = address(a)
        return first != 0 && first == address(b)
    }

    /// The same box, or, since a typed throw is boxed anew by each layer, an equal one.
    package static func same(_ a: any Error, _ b: any Error) -> Bool {
        isSameBox(a, b) || (type(of: a) == type(of: b) && String(describing: a) == String(describing: b))
    }
}
