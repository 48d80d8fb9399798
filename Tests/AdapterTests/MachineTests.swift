import SluiceTestSupport
import Testing

@testable import SluiceCore
@testable import Sluice

/// The pure decisions: reply token, guard, settings.
@Suite struct MachineTests {
    static let table: [ReplyPhase: [ReplyStep: ReplyPhase]] = [
        .open: [.whole: .closed, .head: .writing, .settle: .settled, .claim: .handed, .abandon: .closed],
        .settled: [.whole: .closed, .abandon: .closed],
        .ending: [.end: .closed, .abandon: .closed],
        .writing: [.chunkDone: .between, .claim: .claimed, .seize: .cut, .abandon: .closed],
        .between: [.chunk: .writing, .end: .closed, .settle: .ending, .claim: .handed, .abandon: .closed],
        .claimed: [.chunkDone: .handed, .seize: .cut, .abandon: .closed],
        .handed: [:],
        .cut: [:],
        .closed: [:],
    ]

    @Test("the reply's phases allow these steps and no others", arguments: ReplyPhase.allCases, ReplyStep.allCases)
    func phases(_ phase: ReplyPhase, step: ReplyStep) {
        #expect(phase.after(step) == Self.table[phase]?[step])
    }

    @Test("of many who want to answer, one may")
    func oneWins() async {
        for _ in 0..<200 {
            let token = ReplyToken()
            let winners = await withTaskGroup(of: Bool.self) { group in
                for index in 0..<8 { group.addTask { token.take(index % 2 == 0 ? .whole : .head) } }
                return await group.reduce(0) { $0 + ($1 ? 1 : 0) }
            }
            #expect(winners == 1)
        }
    }

    @Test("nobody ends a stream in mid-chunk")
    func midChunk() {
        let token = ReplyToken()
        #expect(token.take(.head))
        #expect(!token.take(.end))
        #expect(!token.take(.whole))
        #expect(!token.take(.chunk))
        #expect(token.take(.chunkDone))
        #expect(token.take(.end))
        #expect(!token.take(.chunk))
        #expect(token.current == .closed)
    }

    struct Margin: Sendable {
        let left: Int64
        let cancel: Int64
        let answer: Int64
        let exit: Int64
    }

    @Test(
        "the guard's margin is the smaller of 500 ms and 20 % of the time left",
        arguments: [
            Margin(left: 30_000, cancel: 29_500, answer: 29_700, exit: 29_950),
            Margin(left: 2_500, cancel: 2_000, answer: 2_200, exit: 2_450),
            Margin(left: 1_000, cancel: 800, answer: 880, exit: 980),
            Margin(left: 100, cancel: 80, answer: 88, exit: 98),
        ])
    func margins(_ one: Margin) throws {
        let schedule = try #require(
            GuardSchedule(
                arrival: WallClock.Instant(millisecondsSinceEpoch: 1_000_000),
                deadline: WallClock.Instant(millisecondsSinceEpoch: 1_000_000 + one.left)))
        #expect(schedule.cancel.millisecondsSinceEpoch - 1_000_000 == one.cancel)
        #expect(schedule.respond.millisecondsSinceEpoch - 1_000_000 == one.answer)
        #expect(schedule.exit.millisecondsSinceEpoch - 1_000_000 == one.exit)
    }

    @Test("the guard takes each stage once, in order, and catches up one by one")
    func stages() throws {
        func at(_ milliseconds: Int64) -> WallClock.Instant { WallClock.Instant(millisecondsSinceEpoch: milliseconds) }
        let schedule = try #require(GuardSchedule(arrival: at(0), deadline: at(1000)))
        #expect(schedule.due(at: at(799), after: nil) == nil)
        #expect(schedule.due(at: at(800), after: nil) == .cancel)
        #expect(schedule.due(at: at(800), after: .cancel) == nil)
        #expect(schedule.due(at: at(5000), after: nil) == .cancel)
        #expect(schedule.due(at: at(5000), after: .cancel) == .respond)
        #expect(schedule.due(at: at(5000), after: .respond) == .cut)
        #expect(schedule.due(at: at(5000), after: .cut) == .exit)
        #expect(schedule.due(at: at(5000), after: .exit) == nil)
        #expect(schedule.next(after: nil) == at(800))
        #expect(schedule.next(after: .exit) == nil)
        #expect(GuardSchedule(arrival: at(10), deadline: at(10)) == nil)
        #expect(GuardSchedule(arrival: at(.min), deadline: at(.max)) == nil)
    }

    @Test("AWS variables are read leniently, with a warning that names them")
    func lenient() throws {
        for (text, mode, warns) in [
            ("buffered", Settings.InvokeMode.buffered, false), ("RESPONSE_STREAM", .responseStream, false),
            ("Response_Stream", .responseStream, false), ("stream", .buffered, true), ("", .buffered, false),
        ] {
            let settings = try Settings(["AWS_LWA_INVOKE_MODE": text])
            #expect(settings.invokeMode == mode)
            #expect(settings.warnings.contains { $0.contains("AWS_LWA_INVOKE_MODE") } == warns)
        }
        #expect(try Settings([:]).invokeMode == .buffered)
        for text in ["JSON", "json", "Json"] { #expect(try Settings(["AWS_LAMBDA_LOG_FORMAT": text]).log.isJSON) }
        #expect(try !Settings(["AWS_LAMBDA_LOG_FORMAT": "Text"]).log.isJSON)
        #expect(try Settings(["AWS_LAMBDA_LOG_LEVEL": "warn"]).log.level == .warning)
        #expect(try Settings(["AWS_LAMBDA_LOG_LEVEL": "loud"]).warnings.count == 1)
    }

    @Test("case 99: a number of workers that is none, or below 1, is 1", arguments: ["", "0", "-1", "abc", nil])
    func workers(_ text: String?) throws {
        #expect(try Settings(text.map { ["AWS_LAMBDA_MAX_CONCURRENCY": $0] } ?? [:]).workers == 1)
        #expect(try Settings(["AWS_LAMBDA_MAX_CONCURRENCY": "5"]).workers == 5)
    }

    @Test("status lists: single ones, ranges, blanks; what cannot be read is skipped and named")
    func statusLists() {
        let list = StatusList("500, 502-504,422")
        for status in [500, 502, 503, 504, 422] { #expect(list.contains(status)) }
        for status in [501, 505, 404] { #expect(!list.contains(status)) }
        #expect(StatusList("invalid").ranges.isEmpty)
        #expect(StatusList("").ranges.isEmpty)
        #expect(StatusList("500,x,5-4,-1").invalid == ["x", "5-4", "-1"])
    }

    @Test(
        "the Runtime API's address is host:port, or start-up names the variable",
        arguments: ["", "host", "host:", ":9001", "host:0", "host:99999", "host:x"])
    func addresses(_ text: String) {
        let error = #expect(throws: SettingsError.self) { try Settings(["AWS_LAMBDA_RUNTIME_API": text]) }
        #expect(error?.variable == "AWS_LAMBDA_RUNTIME_API")
    }

    @Test("the spool is an absolute path, or start-up names the variable", arguments: ["spool", "./spool", "~/spool", " /tmp"])
    func spool(_ text: String) throws {
        let error = #expect(throws: SettingsError.self) { try Settings(["SLUICE_SPOOL": text]) }
        #expect(error?.variable == "SLUICE_SPOOL")
        for good in ["", "/", "/tmp/spool"] { _ = try Settings(["SLUICE_SPOOL": good]) }
    }

    @Test("the proxy variable wins over the platform's")
    func proxy() throws {
        let settings = try Settings(["AWS_LAMBDA_RUNTIME_API": "a:1", "AWS_LWA_LAMBDA_RUNTIME_API_PROXY": "b:2"])
        #expect(settings.runtimeAPI == HostPort("b:2"))
    }
}
