internal import Synchronization

/// A wrapper of a body did not do as it must: call the body once, wait for its end, and pass its error on.
public struct BodyWrapperError: Error, Equatable, CustomStringConvertible {
    /// What the wrapper did, for the log.
    public let description: String

    /// It returned without having called the body: the client would get nothing.
    public static let neverCalled = Self(description: "a wrapper of the body returned without calling the body")
    /// It called the body a second time: the client would get its bytes twice.
    public static let calledTwice = Self(description: "a wrapper of the body called the body twice")
}

/// A body that is lent to one wrapper, and what the wrapper made of it. It does not escape: the wrapper cannot call it later, nor leave it
/// running.
final class LentBody: Sendable {
    private enum Phase {
        case waiting, called
        case failed(any Error)
    }

    private let phase = Mutex(Phase.waiting)
    private let body: Body.Producer

    private init(_ body: @escaping Body.Producer) { self.body = body }

    /// `body` with `wrapper` around it, and with an error in the place of each silence that the wrapper could cause.
    static func wrap(_ body: @escaping Body.Producer, in wrapper: @escaping Body.Wrapper) -> Body.Producer {
        { writer in
            try await writer.lent { writer in
                let lent = LentBody(body)
                try await wrapper(writer) { try await lent.write(to: $0) }
                try lent.check()
            }
        }
    }

    private func write(to writer: BodyWriter) async throws {
        let isFirst = phase.withLock { phase in
            guard case .waiting = phase else { return false }
            phase = .called
            return true
        }
        do {
            guard isFirst else { throw BodyWrapperError.calledTwice }
            try await body(writer)
        } catch {
            phase.withLock { phase in
                if case .failed = phase { return }
                phase = .failed(error)
            }
            throw error
        }
    }

    /// - Throws: What the wrapper, which has returned, should have thrown and did not.
    private func check() throws {
        switch phase.withLock(\.self) {
        case .waiting: throw BodyWrapperError.neverCalled
        case .called: return
        case .failed(let error): throw error
        }
    }
}
