import Foundation
import SluiceTestSupport
import Testing

@testable import SluiceCore
@testable import SluiceReporting
@testable import SluiceSentry

/// Section 8.5 of the conformance cases: whose tags, users and breadcrumbs are on a report.
@Suite struct ReportScopeTests {
    private func asRequest<R: Sendable>(_ id: String, _ body: @Sendable (ReportingScope) async throws -> R) async rethrows -> R
    {
        let state = InvocationScope.State()
        let box = ReportingScope()
        let scope = InvocationScope(requestID: id, state: state, follower: box)
        return try await InvocationScope.$current.withValue(scope) { try await body(box) }
    }

    /// The tags that the test has set; a report has others.
    private func tags(_ event: JSONView, _ prefix: String) -> [String: String] {
        (event["tags"]?.dictionary ?? [:]).filter { $0.key.hasPrefix(prefix) }
    }

    @Test("a part of an invocation knows what is known, keeps what it sets, and shares time-out, failure, trace and ledger")
    func part() async throws {
        try await asRequest("r") { box in
            box.change { $0.tags = ["part.before": "1"] }
            box.add(Breadcrumb("before"), limit: 10)
            let scope = try #require(InvocationScope.current)
            let part = scope.part()
            try InvocationScope.$current.withValue(part) {
                let inner = try #require(Reports.currentScope)
                #expect(inner.scope.tags == ["part.before": "1"] && inner.breadcrumbs.map(\.message) == ["before"])
                inner.change { $0.tags["part.own"] = "2" }
                inner.add(Breadcrumb("own"), limit: 10)
                #expect(inner.breadcrumbs.map(\.message) == ["before", "own"])
                let nested = try #require(InvocationScope.current?.part())
                #expect(Reports.scope(following: nested)?.breadcrumbs.map(\.message) == ["before", "own"])
                nested.state.isTimedOut = true
                #expect(inner.ledger === box.ledger)
                #expect(inner.trace { TraceContext() }.traceID == box.trace { TraceContext() }.traceID)
                let error: any Error = Plain()
                #expect(inner.isNew(error, as: "1") && !inner.isNew(error, as: "2") && box.isNew(error, as: "3"))
            }
            #expect(box.scope.tags == ["part.before": "1"] && box.breadcrumbs.map(\.message) == ["before"])
            #expect(scope.state.isTimedOut && part.state.isTimedOut && !scope.state.hasFailed)
            part.state.noteFailure(.eventError)
            #expect(scope.state.outcome == .eventError && scope.state.takeTimeoutRecord() && !part.state.takeTimeoutRecord())
        }
    }

    @Test("case 77: the current scope wins over the request's, that over the process's, the event over all; others merge")
    func precedence() async throws {
        let bench = ReportBench()
        let client = bench.client()
        bench.process.change { $0.tags = ["c77": "process", "c77.p": "1"] }
        bench.box.change { $0.tags = ["c77": "request", "c77.r": "2"] }
        bench.box.change { $0.user = ReportUser(id: "request") }
        let fork = bench.box.copy()
        fork.change { $0.tags["c77"] = "current" }
        fork.change { $0.tags["c77.c"] = "3" }
        fork.change { $0.level = .warning }
        client.capture("in the fork", in: fork)
        client.capture("in the request", in: bench.box)
        var event = ReportEvent(level: .error)
        event.tags = ["c77": "event"]
        event.user = ReportUser(id: "event")
        client.capture(event, fork.scope, fork)
        await client.flush(bench.box)

        let events = try bench.ingest.events()
        try #require(events.count == 3)
        #expect(tags(events[0], "c77") == ["c77": "current", "c77.p": "1", "c77.r": "2", "c77.c": "3"])
        #expect(events[0]["level"]?.text == "warning")
        #expect(events[0]["user"]?.dictionary == ["id": "request"])
        #expect(tags(events[1], "c77") == ["c77": "request", "c77.p": "1", "c77.r": "2"])
        #expect(events[1]["level"]?.text == "error")
        #expect(tags(events[2], "c77")["c77"] == "event")
        #expect(events[2]["user"]?.dictionary == ["id": "event"])
    }

    @Test("case 77: fingerprints join, from the outermost scope to the event")
    func fingerprints() {
        var (outer, inner, event) = (ReportScope(), ReportScope(), ReportEvent(level: .error))
        outer.fingerprint = ["a"]
        inner.fingerprint = ["b"]
        event.fingerprint = ["c"]
        inner.apply(to: &event)
        outer.apply(to: &event)
        #expect(event.fingerprint == ["a", "b", "c"])
    }

    @Test("case 78: a context of the same name is replaced whole, not merged inside")
    func contexts() async throws {
        let bench = ReportBench()
        let client = bench.client()
        bench.box.change { $0.contexts = ["order": ["id": 1, "state": "open"], "cart": ["size": 2]] }
        let fork = bench.box.copy()
        fork.change { $0.contexts["order"] = ["id": 2] }
        client.capture("x", in: fork)
        await client.flush(bench.box)
        let contexts = try #require(try bench.ingest.events().first?["contexts"])
        #expect(contexts["order"]?.keys == ["id"])
        #expect(contexts["order"]?["id"]?.number == 2)
        #expect(contexts["cart"]?["size"]?.number == 2)
    }

    @Test("case 79: what is written to a scope after a fork the fork does not see, and the reverse")
    func forks() async {
        await asRequest("r") { box in
            Reports.setTag("before", "1")
            await Reports.withScope {
                Reports.setTag("inside", "1")
                box.change { $0.tags["outside"] = "1" }
                #expect(Reports.currentScope?.scope.tags == ["before": "1", "inside": "1"])
                await Reports.withScope {
                    await Task.yield()
                    Reports.setTag("deeper", "1")
                    #expect(Reports.currentScope?.scope.tags == ["before": "1", "inside": "1", "deeper": "1"])
                }
                #expect(Reports.currentScope?.scope.tags == ["before": "1", "inside": "1"])
            }
            #expect(Reports.currentScope?.scope.tags == ["before": "1", "outside": "1"])
            // What happened stays one story.
            #expect(Reports.currentScope === box)
        }
    }

    @Test("cases 80, 83: overlapping and later requests have only their own user, tag, breadcrumbs and trace")
    func requests() async throws {
        let bench = ReportBench()
        let client = bench.client()
        let barrier = Barrier(2)
        await withTaskGroup(of: Void.self) { group in
            for name in ["a", "b"] {
                group.addTask {
                    await asRequest(name) { box in
                        Reports.setTag("request", name)
                        Reports.setTag("only-\(name)", name)
                        Reports.setUser(ReportUser(id: name))
                        client.add(Breadcrumb(name), to: box)
                        await barrier.wait()
                        client.capture(name, in: Reports.currentScope ?? box)
                        await client.flush(box)
                    }
                }
            }
        }
        await asRequest("later") { box in
            client.capture("later", in: box)
            await client.flush(box)
        }

        let events = try bench.ingest.events()
        #expect(events.count == 3)
        for event in events {
            let name = try #require(event["logentry"]?["formatted"]?.text)
            let isLater = name == "later"
            #expect(event["tags"]?.dictionary?["request"] == (isLater ? nil : name))
            #expect((event["tags"]?.keys ?? []).filter { $0.hasPrefix("only-") } == (isLater ? [] : ["only-\(name)"]))
            #expect(event["user"]?["id"]?.text == (isLater ? nil : name))
            #expect(event["breadcrumbs"]?["values"]?.count ?? 0 == (isLater ? 0 : 1))
            #expect(event["breadcrumbs"]?["values"]?[0]?["message"]?.text == (isLater ? nil : name))
        }
        #expect(Set(events.compactMap { $0["contexts"]?["trace"]?["trace_id"]?.text }).count == 3)
    }

    @Test("case 81: child tasks see the request's scope; what one sets its siblings and its request do not see")
    func children() async {
        await asRequest("r") { box in
            Reports.setTag("request", "1")
            let barrier = Barrier(8)
            @Sendable func child(_ name: String) async {
                #expect(Reports.currentScope?.scope.tags == ["request": "1"])
                Reports.setTag("own", name)
                Reports.setUser(ReportUser(id: name))
                await barrier.wait()
                #expect(Reports.currentScope?.scope.tags == ["request": "1", "own": name])
                #expect(Reports.currentScope?.scope.user?.id == name)
                box.add(Breadcrumb(name), limit: 100)
            }
            async let first: Void = child("async let")
            let task = Task { await child("Task") }
            await withTaskGroup(of: Void.self) { group in
                for index in 0..<6 { group.addTask { await child("\(index)") } }
            }
            await first
            await task.value
            #expect(Reports.currentScope?.scope.tags == ["request": "1"])
            #expect(Reports.currentScope?.scope.user == nil)
            // The trail is the request's.
            #expect(box.breadcrumbs.count == 8)
        }
    }

    @Test("case 82: many tasks and threads use scopes at once, and nothing is lost")
    func concurrency() async {
        let state = InvocationScope.State()
        let box = ReportingScope()
        let scope = InvocationScope(requestID: "r", state: state, follower: box)
        let rounds = 200
        await withTaskGroup(of: Void.self) { group in
            for number in 0..<16 {
                group.addTask {
                    InvocationScope.$current.withValue(scope) {
                        for round in 0..<rounds {
                            Reports.setTag("number", "\(number)")
                            Reports.setContext("c", ["round": .integer(round)])
                            box.add(Breadcrumb("\(number)"), limit: 100_000)
                            Reports.withScope { Reports.setTag("number", "inner") }
                            #expect(Reports.currentScope?.scope.tags == ["number": "\(number)"])
                            _ = box.isNew(Boom())
                            _ = box.trace { TraceContext() }
                        }
                    }
                }
            }
            for _ in 0..<4 {
                group.addTask {
                    await withCheckedContinuation { done in
                        Thread {
                            for _ in 0..<rounds {
                                box.change { $0.tags["thread"] = "1" }
                                box.add(Breadcrumb("thread"), limit: 100_000)
                                _ = box.copy().scope
                            }
                            done.resume()
                        }.start()
                    }
                }
            }
        }
        #expect(box.breadcrumbs.count == 20 * rounds)
        for number in 0..<16 { #expect(box.breadcrumbs.filter { $0.message == "\(number)" }.count == rounds) }
        #expect(box.scope.tags.isEmpty)
    }

    @Test("case 84: of 101 breadcrumbs the newest 100 are reported, in order")
    func breadcrumbs() async throws {
        let bench = ReportBench()
        let client = bench.client()
        for number in 0...100 { client.add(Breadcrumb("\(number)"), to: bench.box) }
        client.capture("x", in: bench.box)
        await client.flush(bench.box)
        let values = try #require(try bench.ingest.events().first?["breadcrumbs"]?["values"])
        #expect((0..<values.count).map { values[$0]?["message"]?.text } == (1...100).map { "\($0)" })
    }

    @Test("case 85: with maxBreadcrumbs of 0 or less none are kept", arguments: [0, -1])
    func noBreadcrumbs(_ limit: Int) async throws {
        let bench = ReportBench()
        let client = bench.client { $0.maxBreadcrumbs = limit }
        client.add(Breadcrumb("x"), to: bench.box)
        client.capture("x", in: bench.box)
        await client.flush(bench.box)
        #expect(bench.box.breadcrumbs.isEmpty)
        let event = try #require(try bench.ingest.events().first)
        #expect(!event.keys.contains("breadcrumbs"))
    }

    @Test("case 86: beforeBreadcrumb may change one, and drops it by nil or by throwing")
    func beforeBreadcrumb() {
        let bench = ReportBench()
        let client = bench.client { options in
            options.beforeBreadcrumb = { breadcrumb in
                if breadcrumb.message == "drop" { return nil }
                if breadcrumb.message == "throw" { throw Boom() }
                var breadcrumb = breadcrumb
                breadcrumb.category = "seen"
                return breadcrumb
            }
        }
        for text in ["a", "drop", "throw", "b"] { client.add(Breadcrumb(text), to: bench.box) }
        #expect(bench.box.breadcrumbs.map(\.message) == ["a", "b"])
        #expect(bench.box.breadcrumbs.map(\.category) == ["seen", "seen"])
        #expect(bench.ledger.captured == 0)
    }

    @Test("case 87: nil removes a user, a context, a tag, a level")
    func removal() async throws {
        await asRequest("r") { box in
            Reports.setUser(ReportUser(id: "1"))
            Reports.setContext("a", ["b": 1])
            Reports.setContext("c", ["d": 1])
            Reports.setTag("e", "f")
            Reports.setLevel(.fatal)
            Reports.setFingerprint(["g"])
            Reports.setUser(nil)
            Reports.setContext("a", nil)
            Reports.setTag("e", nil)
            Reports.setLevel(nil)
            Reports.setFingerprint([])
            let scope = box.scope
            #expect(scope.user == nil)
            #expect(scope.contexts == ["c": ["d": 1]])
            #expect(scope.tags.isEmpty)
            #expect(scope.level == nil)
            #expect(scope.fingerprint.isEmpty)
        }
    }

    @Test("case 88: the last event's id is that of the request's last event, dropped or not, forks included")
    func lastEventID() {
        let bench = ReportBench()
        let client = bench.client { $0.ignoreErrors = ["ignored"] }
        #expect(bench.box.lastEventID == nil)
        let first = client.capture("a", in: bench.box)
        #expect(bench.box.lastEventID == first)
        client.add(Breadcrumb("no event"), to: bench.box)
        client.log("no event", in: bench.box)
        #expect(bench.box.lastEventID == first)
        let second = client.capture("ignored", in: bench.box)
        #expect(bench.box.lastEventID == second)
        let third = client.capture("c", in: bench.box.copy())
        #expect(bench.box.lastEventID == third)
        #expect(Set([first, second, third]).count == 3)
        #expect(ReportingScope().lastEventID == nil)
    }

    @Test("one error is reported once; outside of requests an equal one, later, is another")
    func sameError() {
        struct Again: Error {}
        let (error, other): (any Error, any Error) = (Again(), Again())
        #expect(ReportingScope.process.isNew(error))
        #expect(!ReportingScope.process.isNew(error))
        #expect(ReportingScope.process.isNew(other))
        let request = ReportingScope()
        #expect(request.isNew(error))
        // Boxed anew by a typed throw, as far as anybody can tell.
        #expect(!request.copy().isNew(other))
        #expect(ReportingScope().isNew(error))
    }
}

extension ReportScopeTests {
    @Test("what a middleware's child task sets through `next` is the request's, when `next` has returned")
    func adopted() async {
        let box = ReportingScope()
        await withTaskGroup(of: Void.self) { group in
            group.addTask {
                #expect(box.isForeign)
                let fork = box.copy()
                fork.change { $0.tags["plan"] = "gold" }
                box.adopt(fork)
            }
        }
        #expect(box.scope.tags == ["plan": "gold"])
    }
}
