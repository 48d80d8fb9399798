internal import Synchronization

/// How far an invocation's reply is. Decides who may write what; ``ReplyToken`` makes the decision atomic.
enum ReplyPhase: UInt8, CaseIterable {
    /// No byte has left.
    case open
    /// The head has left, and a chunk is being written: nobody else may write.
    case writing
    /// The head has left, and all chunks are whole.
    case between
    /// No byte has left, and the worker accounts for the response that it is about to send: its status stands.
    case settled
    /// All chunks are whole, and the worker accounts for the stream that it is about to end.
    case ending
    /// The deadline guard has claimed the stream while a chunk was being written: its writer hands it over when it is whole.
    case claimed
    /// The reply is the guard's: it alone writes it, or its end.
    case handed
    /// The guard has cut the stream in the middle of a chunk: nobody may write.
    case cut
    /// Given, or broken: nobody may write.
    case closed
}

/// What somebody wants to do to a reply.
enum ReplyStep: CaseIterable {
    /// Give it whole, or an error in its place: one message.
    case whole
    /// Begin a stream.
    case head
    /// Write one more chunk.
    case chunk
    /// A chunk has been written whole.
    case chunkDone
    /// Write the last chunk, with or without trailers.
    case end
    /// The worker commits itself to what it has, before it accounts for it: what it tells, nobody makes untrue any more.
    case settle
    /// The guard takes the reply over, to give it or to end it in the worker's place.
    case claim
    /// The guard takes a stream that is stuck in the middle of a chunk, to cut it.
    case seize
    /// Give the response up, half-written as it may be.
    case abandon
}

extension ReplyPhase {
    /// The phase after the step, or nil where the step is not allowed: then not a byte may be written.
    func after(_ step: ReplyStep) -> ReplyPhase? {
        switch (self, step) {
        case (.open, .whole): .closed
        case (.open, .head): .writing
        case (.between, .chunk): .writing
        case (.writing, .chunkDone): .between
        case (.open, .settle): .settled
        case (.settled, .whole): .closed
        case (.between, .settle): .ending
        case (.between, .end), (.ending, .end): .closed
        case (.open, .claim), (.between, .claim): .handed
        case (.writing, .claim): .claimed
        case (.writing, .seize), (.claimed, .seize): .cut
        case (.claimed, .chunkDone): .handed
        case (.open, .abandon), (.settled, .abandon), (.writing, .abandon), (.between, .abandon), (.ending, .abandon),
            (.claimed, .abandon):
            .closed
        default: nil
        }
    }
}

/// Owns one invocation's reply: worker and deadline guard may both want to give it, one atomic decides.
final class ReplyToken: Sendable {
    private let phase = Atomic(ReplyPhase.open.rawValue)

    /// Takes the step if it is allowed now. Whoever gets false writes no byte.
    func take(_ step: ReplyStep) -> Bool { phaseTaking(step) != nil }

    /// Takes the step as ``take(_:)`` does, and tells the phase in which it was taken, or nil.
    func phaseTaking(_ step: ReplyStep) -> ReplyPhase? {
        var seen = phase.load(ordering: .acquiring)
        while true {
            guard let current = ReplyPhase(rawValue: seen), let next = current.after(step) else { return nil }
            let (exchanged, original) = phase.compareExchange(
                expected: seen, desired: next.rawValue, ordering: .acquiringAndReleasing)
            if exchanged { return current }
            seen = original
        }
    }

    /// Whether the reply is the guard's, who also has the record of it.
    var isTakenOver: Bool { [.claimed, .handed, .cut].contains(current) }

    var current: ReplyPhase { ReplyPhase(rawValue: phase.load(ordering: .acquiring)) ?? .closed }
}
