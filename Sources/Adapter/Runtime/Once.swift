internal import Synchronization

/// Lets one caller through.
final class Once: Sendable {
    private let taken = Atomic(false)

    /// True for the first caller. For all others it only reads.
    func take() -> Bool {
        !taken.load(ordering: .relaxed) && !taken.exchange(true, ordering: .acquiringAndReleasing)
    }

    func once(_ body: () -> Void) { if take() { body() } }
}
