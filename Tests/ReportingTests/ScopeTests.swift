import SluiceTestSupport
import Testing

@testable import SluiceCore
@testable import SluiceReporting
@testable import SluiceSentry

@Suite struct ScopeTests {
    @Test("the scope reaches child tasks, groups and Task {}, not detached tasks, and never another invocation")
    func inheritance() async {
        await withTaskGroup(of: Void.self) { group in
            for index in 0..<64 {
                group.addTask {
                    let id = "id-\(index)"
                    await InvocationScope.$current.withValue(InvocationScope(requestID: id)) {
                        await Task.yield()
                        async let child = InvocationScope.current?.requestID
                        let unstructured = await Task { InvocationScope.current?.requestID }.value
                        let detached = await Task.detached { InvocationScope.current?.requestID }.value
                        #expect(await child == id)
                        #expect(unstructured == id)
                        #expect(detached == nil)
                    }
                }
            }
        }
        #expect(InvocationScope.current == nil)
    }

    @Test("a time-out's record is taken once")
    func once() async {
        let progress = InvocationScope.State()
        let taken = await withTaskGroup(of: Bool.self) { group in
            for _ in 0..<16 { group.addTask { progress.takeTimeoutRecord() } }
            return await group.reduce(0) { $0 + ($1 ? 1 : 0) }
        }
        #expect(taken == 1)
    }

    @Test("deadlines at the ends of time do not overflow")
    func extremes() {
        let (first, last) = (WallClock.Instant(millisecondsSinceEpoch: .min), WallClock.Instant(millisecondsSinceEpoch: .max))
        _ = first.duration(to: last)
        _ = first.remaining
        #expect(first < last)
        #expect(
            WallClock.Instant(millisecondsSinceEpoch: 1000).duration(to: WallClock.Instant(millisecondsSinceEpoch: 3500))
                == .milliseconds(2500))
    }
}
