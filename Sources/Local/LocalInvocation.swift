internal import SluiceStreaming

/// One invocation: from the front door's request to the end of its response.
final class LocalInvocation: @unchecked Sendable {  // used on the loop's thread only
    /// `delivering`: the app has answered, and the client is still reading.
    enum Phase { case queued, running, responding, delivering, done }

    let id: String
    let event: [UInt8]
    /// Method and target, for the console.
    let label: String
    let reply: FrontEndReply
    var phase = Phase.queued
    var began = ContinuousClock.now
    var deadline = ContinuousClock.now
    var deadlineMilliseconds: Int64 = 0
    /// What the console says beside status and time.
    var notes: [String] = []
    var mode = "-"
    /// When the app's response was whole, or had failed; nil before.
    private(set) var responseEnded: ContinuousClock.Instant?
    /// When the first byte of the app's response came; nil before.
    private(set) var responseBegan: ContinuousClock.Instant?
    /// Of the app's response, as it was sent to the platform.
    var producedBytes = 0
    /// The type of the error that the platform counts; nil where it counts none.
    var platformError: String?
    /// Reports that came before that: shown with the invocation's line.
    var reports: [ReceivedReport] = []
    /// All reports so far, late ones included.
    var reportCount = 0
    /// Ends the app at the deadline; kept here to be called off, as it holds all of this.
    var watch: Task<Void, Never>?
    private var waiting: [CheckedContinuation<Void, Never>] = []

    init(id: String, event: [UInt8], label: String, reply: FrontEndReply) {
        self.id = id
        self.event = event
        self.label = label
        self.reply = reply
    }

    /// Suspends until the client has its response.
    func end() async {
        guard phase != .done else { return }
        await withCheckedContinuation { waiting.append($0) }
    }

    /// The app's response is whole, or will never be. Only the first call counts.
    func endAnswer() {
        if responseEnded == nil { responseEnded = .now }
    }

    /// The app has sent so many bytes of its response.
    func produced(_ count: Int) {
        if responseBegan == nil { responseBegan = .now }
        producedBytes += count
    }

    func finish() {
        phase = .done
        watch?.cancel()
        watch = nil
        for continuation in waiting { continuation.resume() }
        waiting = []
    }
}
