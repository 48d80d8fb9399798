import SluiceTestSupport
import Testing

@testable import SluiceCore
@testable import SluiceLocal
@testable import SluiceStreaming

@Suite(.serialized) struct SandboxPoolTests {
    @Test("another sandbox is started while all are busy; the one used last is used first; beyond the limit requests wait")
    func order() async throws {
        let harness = try await PoolHarness(limit: 3)
        #expect(try await harness.starts(1) == 1)
        try await harness.ask(1)
        let a = try await harness.request("a")
        #expect(try await harness.place(of: a) == 1)
        #expect(try await harness.count() == 1)
        let b = try await harness.request("b")
        #expect(try await harness.count() == 2)
        #expect(try await harness.place(of: b) == nil)  // a cold start
        try await harness.ask(2)
        #expect(try await harness.place(of: b) == 2)
        let c = try await harness.request("c")
        try await harness.ask(3)
        #expect(try await harness.place(of: c) == 3)
        let d = try await harness.request("d")
        #expect(try await harness.count() == 3)
        #expect(try await harness.place(of: d) == nil)
        try await harness.answer(b, in: 2)
        #expect(try await harness.place(of: d) == nil)  // answered is not free
        try await harness.ask(2)
        #expect(try await harness.place(of: d) == 2)
        for (invocation, number) in [(d, 2), (a, 1), (c, 3)] {
            try await harness.answer(invocation, in: number)
            try await harness.ask(number)
        }
        let e = try await harness.request("e")
        #expect(try await harness.place(of: e) == 2)
        let f = try await harness.request("f")
        #expect(try await harness.place(of: f) == 3)
        for number in 1...3 { #expect(try await harness.starts(number) == 1) }
    }

    @Test("a sandbox that has answered is waited for; when it does not ask, another is started")
    func patience() async throws {
        let patient = try await PoolHarness(limit: 4)
        try await patient.ask(1)
        let a = try await patient.request("a")
        try await patient.answer(a, in: 1)
        let b = try await patient.request("b")
        #expect(try await patient.place(of: b) == nil)
        #expect(try await patient.count() == 1)
        // It can take one of the two.
        _ = try await patient.request("c")
        #expect(try await patient.count() == 2)
        try await patient.ask(1)
        try await patient.ask(2)
        #expect(try await patient.place(of: b) != nil)
        #expect(try await patient.count() == 2)

        let hasty = try await PoolHarness(limit: 4, patience: .milliseconds(1))
        try await hasty.ask(1)
        let first = try await hasty.request("a")
        try await hasty.answer(first, in: 1)
        let second = try await hasty.request("b")
        try await hasty.until { try await hasty.count() == 2 }
        try await hasty.ask(2)
        #expect(try await hasty.place(of: second) == 2)
    }

    @Test("who waits long is told of, once until nobody waits")
    func jam() async throws {
        let harness = try await PoolHarness(limit: 2, patience: .milliseconds(1))
        try await harness.ask(1)
        let a = try await harness.request("a")
        _ = try await harness.request("b")
        try await harness.ask(2)
        let c = try await harness.request("c")
        let d = try await harness.request("d")
        #expect(harness.line() == "all 2 sandboxes are in use: GET /c waits (SLUICE_LOCAL_SANDBOXES)")
        func serve(_ invocation: LocalInvocation) async throws {
            try await harness.answer(invocation, in: 1)
            try await harness.ask(1)
            #expect(harness.line()?.contains("GET /\(invocation.id)  ") == true)
        }
        try await serve(a)
        try await serve(c)
        #expect(try await harness.place(of: d) == 1)
        _ = try await harness.request("e")
        #expect(harness.line() == "all 2 sandboxes are in use: GET /e waits (SLUICE_LOCAL_SANDBOXES)")
    }

    @Test("each freezes on its own")
    func freezes() async throws {
        let harness = try await PoolHarness(limit: 2)
        try await harness.ask(1)
        #expect(try await harness.isFrozen(1))
        let a = try await harness.request("a")
        let b = try await harness.request("b")
        try await harness.ask(2)
        try await harness.answer(b, in: 2)
        try await harness.ask(2)
        #expect(try await !harness.isFrozen(1))
        #expect(try await harness.isFrozen(2))
        _ = try await harness.request("c")
        #expect(try await !harness.isFrozen(2))
        try await harness.answer(a, in: 1)
        try await harness.ask(1)
        #expect(try await harness.isFrozen(1))
    }

    @Test("a sandbox that dies takes its own invocation with it, and is the next to be started")
    func dies() async throws {
        let harness = try await PoolHarness(limit: 3)
        try await harness.ask(1)
        let a = try await harness.request("a")
        let b = try await harness.request("b")
        try await harness.ask(2)
        try await harness.end(1)
        try await harness.until { a.phase == .done }
        #expect(a.reply.status == 502)
        #expect(try await harness.place(of: b) == 2)
        let c = try await harness.request("c")
        #expect(try await harness.count() == 2)
        #expect(try await harness.starts(1) == 2)
        try await harness.ask(1)
        #expect(try await harness.place(of: c) == 1)
    }

    @Test("a new program: idle sandboxes end at once, those in use when they have answered; one is started at once")
    func replaced() async throws {
        let harness = try await PoolHarness(limit: 3)
        try await harness.ask(1)
        let a = try await harness.request("a")
        let b = try await harness.request("b")
        try await harness.ask(2)
        try await harness.answer(b, in: 2)
        try await harness.ask(2)
        try await harness.onLoop { harness.pool.replaceProgram() }
        try await harness.until { try await harness.starts(2) == 2 }
        #expect(try await harness.place(of: a) == 1)
        try await harness.ask(2)
        let c = try await harness.request("c")
        #expect(try await harness.place(of: c) == 2)
        // The old one has answered: it gets nothing more.
        try await harness.answer(a, in: 1)
        let d = try await harness.request("d")
        #expect(try await harness.place(of: d) == nil)
        #expect(try await harness.isRunning(1))
        try await harness.ask(1)
        try await harness.until { try await !harness.isRunning(1) }
        #expect(try await harness.starts(1) == 1)
        #expect(try await harness.count() == 3)
        try await harness.ask(3)
        #expect(try await harness.place(of: d) == 3)
    }

    @Test("a sandbox in its start ends too, as that may hang: who waits for it gets the new program", arguments: [false, true])
    func replacedInStart(isWaitedFor: Bool) async throws {
        let harness = try await PoolHarness(limit: 1)
        let a = isWaitedFor ? try await harness.request("a") : nil
        let room = try await harness.onLoop {
            harness.pool.replaceProgram()
            return try harness.freeSoon(1)
        }
        #expect(room == (isWaitedFor ? 0 : 1))
        try await harness.until { try await harness.starts(1) == 2 }
        guard let a else { return }
        #expect(a.phase == .queued)
        try await harness.ask(1)
        #expect(try await harness.place(of: a) == 1)
        #expect(try await harness.isRunning(1))
    }

    @Test("with several workers a sandbox takes as many before another is started")
    func workers() async throws {
        let harness = try await PoolHarness(limit: 2, ["AWS_LAMBDA_MAX_CONCURRENCY": "2"])
        let a = try await harness.request("a")
        let b = try await harness.request("b")
        #expect(try await harness.count() == 1)
        try await harness.ask(1)
        // Its other worker has not asked yet.
        let c = try await harness.request("c")
        #expect(try await harness.count() == 2)
        try await harness.ask(1)
        #expect(try await harness.place(of: a) == 1)
        #expect(try await harness.place(of: b) == 1)
        try await harness.ask(2)
        #expect(try await harness.place(of: c) == 2)
        let d = try await harness.request("d")
        #expect(try await harness.place(of: d) == nil)
        try await harness.ask(2)
        #expect(try await harness.place(of: d) == 2)
    }

    @Test("one sandbox is one request after the other, without a word")
    func one() async throws {
        let harness = try await PoolHarness(limit: 1)
        try await harness.ask(1)
        let a = try await harness.request("a")
        let b = try await harness.request("b")
        #expect(try await harness.count() == 1)
        harness.mark()
        #expect(harness.line() == "mark")
        try await harness.answer(a, in: 1)
        try await harness.ask(1)
        #expect(try await harness.place(of: b) == 1)
    }

    @Test("where there is no port left, the sandboxes that are there serve all")
    func noPort() async throws {
        let harness = try await PoolHarness(limit: 4, ports: 1)
        try await harness.ask(1)
        let a = try await harness.request("a")
        let b = try await harness.request("b")
        #expect(harness.problem()?.hasPrefix("local: no more than 1 sandboxes: ") == true)
        try await harness.answer(a, in: 1)
        try await harness.ask(1)
        #expect(try await harness.place(of: b) == 1)
    }

    @Test("at the end all processes end, and none is started")
    func end() async throws {
        let harness = try await PoolHarness(limit: 3)
        try await harness.ask(1)
        _ = try await harness.request("a")
        _ = try await harness.request("b")
        try await harness.onLoop { await harness.pool.shutDown() }
        let c = try await harness.request("c")
        for number in 1...2 { #expect(try await !harness.isRunning(number)) }
        #expect(try await harness.count() == 2)
        #expect(c.phase == .queued)
    }

    @Test("the variable is strict")
    func setting() throws {
        #expect(try LocalSettings([:]).sandboxes == 4)
        #expect(try LocalSettings(["SLUICE_LOCAL_SANDBOXES": ""]).sandboxes == 4)
        for good in [1, 2, 100] { #expect(try LocalSettings(["SLUICE_LOCAL_SANDBOXES": "\(good)"]).sandboxes == good) }
        for bad in ["0", "-1", "101", "5000", "x", "1.5", " 2", "99999999999999999999"] {
            let problem = #expect(throws: LocalSettings.Problem.self, "\(bad)") {
                try LocalSettings(["SLUICE_LOCAL_SANDBOXES": bad])
            }
            #expect(problem?.description == "SLUICE_LOCAL_SANDBOXES: expected a number from 1 to 100, found '\(bad)'")
        }
    }

    @Test("from the second sandbox on, lines say whose they are: at the end of the first one")
    func mark() throws {
        let lines = try WireLines()
        var console = Console(output: lines.descriptor, problems: lines.descriptor)
        console.line("200  /\n     note")
        console.problem("it ended")
        console.sandbox = 2
        console.line("200  /\n     note")
        console.line("only")
        console.problem("it ended")
        let expected = [
            "200  /", "     note", "local: it ended", "200  /  sandbox 2", "     note", "only  sandbox 2",
            "local, sandbox 2: it ended",
        ]
        for line in expected { #expect(lines.next() == line) }
    }

    @Test("each sandbox has a spool and a log stream of its own; the first has those that were there before")
    func environment() {
        func made(_ environment: [String: String], _ sandbox: Int) -> [String: String] {
            LocalLambda.childEnvironment(environment, apiPort: 1, inboxPort: 2, ["x/App"], sandbox: sandbox)
        }
        #expect(made([:], 1)["SLUICE_SPOOL"] == nil)
        #expect(made([:], 3)["SLUICE_SPOOL"] == "/tmp/sluice-spool/sandbox-3")
        #expect(made(["SLUICE_SPOOL": ""], 2)["SLUICE_SPOOL"] == "/tmp/sluice-spool/sandbox-2")
        #expect(made(["SLUICE_SPOOL": "/a"], 1)["SLUICE_SPOOL"] == "/a")
        #expect(made(["SLUICE_SPOOL": "/a"], 2)["SLUICE_SPOOL"] == "/a/sandbox-2")
        #expect(made([:], 1)["AWS_LAMBDA_LOG_STREAM_NAME"] == "local")
        #expect(made([:], 2)["AWS_LAMBDA_LOG_STREAM_NAME"] == "local-2")
    }
}
