import Logging
import SluiceTestSupport
import Synchronization
import Testing

@testable import SluiceCore
@testable import SluiceReporting
@testable import SluiceSentry

/// What is left out on purpose, in the order of the pipeline, and counted.
@Suite struct ReportDropTests {
    @Test(
        "case 54: ignoreErrors looks at the message, and at the type, the text and both of the thrown error, not of causes",
        arguments: [
            ("it did not", true), ("Plain", true), ("Plain: it did", true), ("Outer: it", false), ("deepest", false),
            ("IT DID", false),
            ("noted", true),
        ])
    func ignored(_ pattern: String, _ isIgnored: Bool) async throws {
        let test = TestClient { $0.ignoreErrors = ["never", pattern] }
        var event = test.event(of: Plain())
        event.exceptions.insert(
            ReportException(type: "Outer", value: "deepest", mechanism: .init(type: "chained")), at: 0)
        event.message = "noted"
        test.capture(event)
        #expect(try await test.deliveredEvents().count == (isIgnored ? 0 : 1))
        #expect(test.box.ledger.now.dropped == (isIgnored ? [.eventProcessor: 1] : [:]))
    }

    @Test("case 54: no callback of the app sees what is ignored")
    func ignoredFirst() async throws {
        let seen = Collected<String>()
        let test = TestClient {
            $0.ignoreErrors = ["ignored"]
            $0.eventProcessors = [
                {
                    seen.add($0.message ?? ""); return $0
                }
            ]
            $0.beforeSend = {
                seen.add($0.message ?? ""); return $0
            }
        }
        test.capture(test.message("ignored"))
        test.capture(test.message("kept"))
        try await test.flush()
        #expect(seen.values == ["kept", "kept"])
    }

    @Test("case 55: at a rate of 0 nothing is sent, at 1 everything", arguments: ["0", "1"], [false, true])
    func sampling(_ rate: String, _ hasCallback: Bool) async throws {
        let seen = Collected<String>()
        let test = TestClient(["SENTRY_SAMPLE_RATE": rate]) {
            if hasCallback {
                $0.beforeSend = {
                    seen.add($0.id); return $0
                }
            }
        }
        for _ in 0..<20 { test.capture(test.message("x")) }
        #expect(try await test.deliveredEvents().count == (rate == "1" ? 20 : 0))
        #expect(test.box.ledger.now.dropped == (rate == "1" ? [:] : [.sampleRate: 20]))
        // The rate comes last: callbacks see everything.
        #expect(seen.values.count == (hasCallback ? 20 : 0))
        if hasCallback { #expect(try test.ingest.losses() == (rate == "1" ? [:] : ["sample_rate error": 20])) }
    }

    @Test(
        "case 55: a rate in code wins over the environment; one that is no rate is 1",
        arguments: [
            (nil, nil, 1, false), (nil, "0.25", 0.25, false), (0.5, "0.25", 0.5, false), (0.5, "half", 0.5, false),
            (0, "1", 0, false), (nil, "2", 1, true), (nil, "-1", 1, true), (nil, "nan", 1, true), (nil, "half", 1, true),
            (nil, "", 1, false), (1.5, nil, 1, true),
        ] as [(Double?, String?, Double, Bool)])
    func rates(_ option: Double?, _ variable: String?, _ expected: Double, _ isWarned: Bool) {
        let settings = SentrySettings(
            ReportOptions { $0.sampleRate = option }, variable.map { ["SENTRY_SAMPLE_RATE": $0] } ?? [:])
        #expect(settings.sampleRate == expected)
        #expect(settings.warnings.isEmpty != isWarned)
    }

    @Test("case 55: an event is drawn once: what the rate has let through is sent")
    func drawnOnce() async throws {
        let test = TestClient { $0.sampleRate = 0.5 }
        for _ in 0..<64 { test.capture(test.message("x")) }
        let passed = test.box.ledger.now.pending
        let sent = try await test.deliveredEvents().count
        #expect(sent == passed)
    }

    struct Refusal: Error {}

    @Test(
        "case 56: what beforeSend drops, or throws at, is not sent and is counted; the app goes on", arguments: [false, true])
    func beforeSend(_ doesThrow: Bool) async throws {
        let test = TestClient {
            $0.beforeSend = { event in
                guard event.message == "bad" else { return event }
                if doesThrow { throw Refusal() }
                return nil
            }
        }
        let id = test.capture(test.message("bad"))
        #expect(id.count == 32)
        test.capture(test.message("good"))
        #expect(try await test.deliveredEvents().map { $0["logentry"]?["formatted"]?.text } == ["good"])
        #expect(test.box.ledger.now.dropped == [.beforeSend: 1])
        #expect(test.box.ledger.now.delivered == 1)
        #expect(try test.ingest.losses() == ["before_send error": 1])
        #expect(test.records.all.filter { $0.level == .warning }.count == 1)
    }

    @Test("case 56: beforeSend sees the event whole and last, and what it changes is what is sent")
    func beforeSendChanges() async throws {
        let seen = Collected<ReportEvent>()
        let test = TestClient(["SENTRY_RELEASE": "shop@1"]) {
            $0.eventProcessors = [
                {
                    var event = $0; event.tags["order"] = "1"; return event
                },
                {
                    var event = $0; event.tags["order", default: ""] += "2"; return event
                },
            ]
            $0.beforeSend = { event in
                seen.add(event)
                var event = event
                event.message = "changed"
                event.release = nil
                event.tags["order", default: ""] += "3"
                return event
            }
        }
        test.box.change { $0.tags["scope"] = "x" }
        let arrived = try await test.delivered(test.message("first"))
        #expect(arrived["logentry"]?["formatted"]?.text == "changed")
        #expect(arrived["tags"]?.dictionary == ["scope": "x", "order": "123"])
        #expect(arrived["release"] == nil)
        #expect(seen.values.map(\.message) == ["first"])
        #expect(seen.values.map(\.release) == ["shop@1"])
        #expect(seen.values.map { $0.tags["order"] } == ["12"])
    }

    @Test(
        "case 57: what an event processor drops, or throws at, is counted as such, and beforeSend does not see it",
        arguments: [false, true])
    func processor(_ doesThrow: Bool) async throws {
        let seen = Collected<String>()
        let test = TestClient {
            $0.eventProcessors = [
                { $0 }, { if doesThrow { throw Refusal() } else { $0.message == "bad" ? nil : $0 } },
            ]
            $0.beforeSend = {
                seen.add($0.message ?? ""); return $0
            }
        }
        test.capture(test.message("bad"))
        #expect(try await test.deliveredEvents().isEmpty)
        #expect(test.box.ledger.now.dropped == [.eventProcessor: 1])
        #expect(try test.ingest.losses() == ["event_processor error": 1])
        #expect(seen.values.isEmpty)
    }

    @Test("cases 56, 57: what a callback throws is not captured itself")
    func callbackErrors() async throws {
        let test = TestClient { $0.beforeSend = { _ in throw Refusal() } }
        test.capture(Plain())
        try await test.flush()
        #expect(test.box.ledger.now.captured == 1)
        #expect(test.ingest.requests.count == 1)  // the client report
    }

    @Test("case 58: an error is new once, its causes and what it causes are no news either")
    func known() {
        let box = ReportingScope()
        let inner: any Error = Plain(description: "inner")
        let isNew = box.isNew(inner)
        let again = box.isNew(inner)
        let outer = box.isNew(Wrapper(description: "outer", cause: inner))
        let other = box.isNew(Plain(description: "another"))
        let elsewhere = ReportingScope().isNew(inner)
        #expect(isNew && other && elsewhere)
        #expect(!again && !outer)
    }

    @Test("case 58: an error that beforeSend has dropped counts when it is captured again")
    func droppedIsNew() async throws {
        let drops = Atomic(true)
        try await withClient(drops: { drops.load(ordering: .relaxed) }) { test in
            let error: any Error = Plain()
            let first = test.box.isNew(error)
            test.capture(error)
            try await test.flush()
            drops.store(false, ordering: .relaxed)
            let second = test.box.isNew(error)
            test.capture(error)
            let third = test.box.isNew(error)
            #expect(first && second && !third)
            #expect(try await test.deliveredEvents().count == 1)
        }
    }

    private func withClient(
        drops: @escaping @Sendable () -> Bool, _ body: (TestClient) async throws -> Void
    ) async throws {
        try await body(TestClient { $0.beforeSend = { drops() ? nil : $0 } })
    }
}
