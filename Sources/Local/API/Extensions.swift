/// The extensions that have registered, internal ones only: the app's process is the whole sandbox. Confined to the event loop.
final class Extensions: @unchecked Sendable {  // used on the loop's thread only
    final class Member {
        let name: String
        let wantsInvocations: Bool
        var hasAsked = false
        var events: [String] = []
        var waiting: CheckedContinuation<String?, Never>?

        init(name: String, wantsInvocations: Bool) {
            self.name = name
            self.wantsInvocations = wantsInvocations
        }
    }

    private var members: [String: Member] = [:]
    /// Called when something may have become idle.
    var onChange: () -> Void = {}

    func reset() {
        for member in members.values { member.waiting?.resume(returning: nil) }
        members = [:]
    }

    /// Whether nobody has registered: then the platform ends the process without a word.
    var isEmpty: Bool { members.isEmpty }

    /// The freeze waits for every extension: each must have asked for an event, and have none left.
    var areIdle: Bool { members.values.allSatisfy { $0.waiting != nil } }

    func isTaken(_ name: String) -> Bool { members.values.contains { $0.name == name } }

    func register(_ name: String, wantsInvocations: Bool) -> String {
        let id = FrontEnd.requestID()
        members[id] = Member(name: name, wantsInvocations: wantsInvocations)
        return id
    }

    func member(_ id: String) -> Member? { members[id] }

    /// The next event for an extension; nil when the process has ended.
    func next(_ member: Member) async -> String? {
        member.hasAsked = true
        if !member.events.isEmpty { return member.events.removeFirst() }
        return await withCheckedContinuation { continuation in
            // Who asks again takes the place of who asked before.
            member.waiting?.resume(returning: nil)
            member.waiting = continuation
            onChange()
        }
    }

    func invoke(_ invocation: LocalInvocation) {
        let event = """
            {"eventType":"INVOKE","deadlineMs":\(invocation.deadlineMilliseconds),"requestId":"\(invocation.id)",\
            "invokedFunctionArn":"\(RuntimeAPIServer.functionARN)","tracing":{"type":"X-Amzn-Trace-Id","value":""}}
            """
        for member in members.values where member.wantsInvocations {
            if let waiting = member.waiting {
                member.waiting = nil
                waiting.resume(returning: event)
            } else {
                member.events.append(event)
            }
        }
    }
}
