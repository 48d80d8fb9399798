internal import Synchronization

/// How far an invocation's answer is. Decides who may write what; ``ReplyToken`` makes the decision atomic.
enum ReplyPhase: UInt8, CaseIterable {
    /// No byte has left.
    case open
    /// The head has left, and a chunk is being written: nobody else may write.
    case writing
    /// The head has left, and all chunks are whole.
    case between
    /// The deadline guard has claimed the stream while a chunk was being written: its writer hands it over when it is whole.
    case claimed
    /// The stream is the guard's: it alone writes the end.
    case handed
    /// Answered, or broken: nobody may write.
    case closed
}

/// What somebody wants to do to an answer.
enum ReplyStep: CaseIterable {
    /// Answer whole, or with an error: one message.
    case answer
    /// Begin a stream.
    case head
    /// Write one more chunk.
    case chunk
    /// A chunk has been written whole.
    case chunkDone
    /// Write the last chunk, with or without trailers.
    case end
    /// The guard takes the stream over, to end it in the worker's place.
    case claim
    /// Give the answer up, half-written as it may be.
    case abandon
}

extension ReplyPhase {
    /// The phase after the step, or nil where the step is not allowed: then not a byte may be written.
    func after(_ step: ReplyStep) -> ReplyPhase? {
        switch (self, step) {
        case (.open, .answer): .closed
        case (.open, .head): .writing
        case (.between, .chunk): .writing
        case (.writing, .chunkDone): .between
        case (.between, .end): .closed
        case (.between, .claim): .handed
        case (.writing, .claim): .claimed
        case (.claimed, .chunkDone): .handed
        case (.open, .abandon), (.writing, .abandon), (.between, .abandon), (.claimed, .abandon): .closed
        default: nil
        }
    }
}

/// Owns one invocation's reply: worker, deadline guard and (later) crash handler may all want to answer, one atomic decides.
final class ReplyToken: Sendable {
    private let phase = Atomic(ReplyPhase.open.rawValue)

    /// Takes the step if it is allowed now. Whoever gets false writes no byte.
    func take(_ step: ReplyStep) -> Bool {
        var seen = phase.load(ordering: .acquiring)
        while true {
            guard let next = ReplyPhase(rawValue: seen)?.after(step) else { return false }
            let (exchanged, original) = phase.compareExchange(
                expected: seen, desired: next.rawValue, ordering: .acquiringAndReleasing)
            if exchanged { return true }
            seen = original
        }
    }

    var current: ReplyPhase { ReplyPhase(rawValue: phase.load(ordering: .acquiring)) ?? .closed }
}
