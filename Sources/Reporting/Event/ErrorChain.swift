/// An error that was caused by another one. Conform yours, and its report shows both.
public protocol CausedError: Error {
    /// What led here.
    var cause: (any Error)? { get }
}

enum ErrorChain {
    /// The error, its cause, that one's cause, and so on: six at most, and none twice.
    static func of(_ error: any Error) -> [any Error] {
        var chain = [error]
        while chain.count < 6, let next = cause(of: chain[chain.count - 1]) {
            guard !chain.contains(where: { ErrorIdentity.isSameBox($0, next) }) else { break }
            chain.append(next)
        }
        return chain
    }

    private static func cause(of error: any Error) -> (any Error)? {
        if let caused = error as? any CausedError { return caused.cause }
        switch error {
        case DecodingError.typeMismatch(_, let context), DecodingError.valueNotFound(_, let context),
            DecodingError.keyNotFound(_, let context), DecodingError.dataCorrupted(let context):
            return context.underlyingError
        case EncodingError.invalidValue(_, let context): return context.underlyingError
        default: return nil
        }
    }
}

enum ErrorIdentity {
    /// The address of an error's box; 0 where the representation is another one than expected.
    static func address(_ error: any Error) -> UInt {
        guard MemoryLayout<any Error>.size == MemoryLayout<UInt>.size else { return 0 }
        // Written out: a bare `error` would be opened, and its value taken apart instead of its box.
        return unsafeBitCast(error as any Error, to: UInt.self)
    }

    static func isSameBox(_ a: any Error, _ b: any Error) -> Bool {
        let first = address(a)
        return first != 0 && first == address(b)
    }

    /// The same box, or, since a typed throw is boxed anew by each layer, an equal one.
    static func same(_ a: any Error, _ b: any Error) -> Bool {
        isSameBox(a, b) || (type(of: a) == type(of: b) && String(describing: a) == String(describing: b))
    }
}
