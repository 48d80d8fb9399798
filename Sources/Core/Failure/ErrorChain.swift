/// An error that was caused by another one. Conform yours, and its report shows both.
public protocol CausedError: Error {
    /// What led here.
    var cause: (any Error)? { get }
}

/// An error and what led to it.
package enum ErrorChain {
    /// The error, its cause, that one's cause, and so on: six at most, and none twice.
    package static func of(_ error: any Error) -> [any Error] {
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
