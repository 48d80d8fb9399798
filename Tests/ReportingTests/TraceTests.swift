import SluiceTestSupport
import Testing

@testable import SluiceCore
@testable import SluiceReporting
@testable import SluiceSentry

/// Section 8.6 of the conformance cases: whose trace a request joins, and what goes out of it.
@Suite struct TraceTests {
    private static let trace = "12312012123120121231201212312012"
    private static let span = "1121201211212012"

    private func read(_ headers: [String: String], organization: String? = nil, isStrict: Bool = false) -> TraceContext {
        SentryTrace.continued(header: { headers[$0] }, organization: organization, isStrict: isStrict) ?? TraceContext()
    }

    @Test(
        "case 89: a sentry-trace without a flag is undecided, -1 sampled, -0 not; blanks around it are nothing",
        arguments: [("", Bool?.none), ("-1", true), ("-0", false)])
    func flags(_ flag: String, decision: Bool?) {
        for header in ["\(Self.trace)-\(Self.span)\(flag)", "  \(Self.trace)-\(Self.span)\(flag)\t"] {
            let context = read(["sentry-trace": header])
            #expect(context.traceID == Self.trace)
            #expect(context.parentSpanID == Self.span)
            #expect(context.isSampled == decision)
            #expect(context.spanID != Self.span)
            #expect(context.sentryTrace == "\(Self.trace)-\(context.spanID)\(flag)")
        }
    }

    @Test(
        "case 90: a sentry-trace of another form is ignored and the trace is a fresh one",
        arguments: [
            "", "-", "--", "1", "\(trace)", "\(trace)-", "\(trace)-\(span)-", "\(trace)-\(span)-11", "\(trace)-\(span)-x",
            "\(trace)-\(span)-1-1", "\(trace)0-\(span)-1", "\(trace.dropLast())-\(span)-1", "\(trace)-\(span)0-1",
            "\(trace)-\(span.dropLast())", "\(trace.dropLast())g-\(span)-1", "\(trace.dropLast())A-\(span)-1",
            "\(trace)-\(span.dropLast())z-1", "00000000000000000000000000000000-\(span)-1",
            "\(trace)-0000000000000000-1", "00-\(trace)-\(span)-01",
        ])
    func invalid(_ header: String) {
        let context = read(["sentry-trace": header, "baggage": "sentry-trace_id=\(Self.trace),sentry-sampled=true"])
        expectFresh(context)
        #expect(read(["sentry-trace": header]).traceID != context.traceID)
    }

    /// Nothing of the caller's is in it.
    private func expectFresh(_ context: TraceContext, sourceLocation: SourceLocation = #_sourceLocation) {
        let isHex = { (text: String) in text.allSatisfy { "0123456789abcdef".contains($0) } }
        #expect(context.traceID.count == 32 && isHex(context.traceID), sourceLocation: sourceLocation)
        #expect(context.spanID.count == 16 && isHex(context.spanID), sourceLocation: sourceLocation)
        #expect(context.traceID != Self.trace, sourceLocation: sourceLocation)
        #expect(context.parentSpanID == nil, sourceLocation: sourceLocation)
        #expect(context.isSampled == nil, sourceLocation: sourceLocation)
        #expect(context.frozen == nil, sourceLocation: sourceLocation)
        #expect(context.random == nil, sourceLocation: sourceLocation)
    }

    private func envelopeHeader(_ context: TraceContext, organization: String? = nil) -> JSONView? {
        var envelope = SentryEnvelope()
        envelope.trace = context.sampling(
            publicKey: "key", release: "shop@1", environment: "production", organization: organization)
        return JSONView(Array(envelope.bytes.prefix { $0 != 0x0A }))
    }

    @Test("case 91: a trace without baggage is continued, its sampling context is frozen empty, and no header is made up")
    func withoutBaggage() throws {
        let context = read(["sentry-trace": "\(Self.trace)-\(Self.span)-1"])
        #expect(context.traceID == Self.trace)
        #expect(context.frozen == [])
        let header = try #require(envelopeHeader(context))
        #expect(!header.keys.contains("trace"))
        // Others' members do not make it ours.
        #expect(read(["sentry-trace": "\(Self.trace)-\(Self.span)", "baggage": "foo=bar"]).frozen == [])
    }

    @Test("a caller's sampling context is passed on as it came")
    func frozen() throws {
        let context = read([
            "sentry-trace": "\(Self.trace)-\(Self.span)-1",
            "baggage": "foo=bar,sentry-trace_id=\(Self.trace), sentry-release = web%402.0 ,sentry-public_key=theirs",
        ])
        let header = try #require(envelopeHeader(context))
        #expect(
            header["trace"]?.dictionary == ["trace_id": Self.trace, "release": "web@2.0", "public_key": "theirs"])
    }

    @Test("case 92: baggage alone continues nothing")
    func baggageOnly() {
        expectFresh(read(["baggage": "sentry-trace_id=\(Self.trace),sentry-sampled=true,sentry-sample_rand=0.5"]))
    }

    @Test(
        "case 93: the organisation decides whether a trace is continued",
        arguments: [
            ("1", "1", true, true), (nil, nil, true, true), ("1", "2", false, false), ("1", nil, true, false),
            (nil, "1", true, false),
        ] as [(String?, String?, Bool, Bool)])
    func organizations(_ ours: String?, theirs: String?, leniently: Bool, strictly: Bool) {
        let headers = [
            "sentry-trace": "\(Self.trace)-\(Self.span)-1",
            "baggage": "sentry-trace_id=\(Self.trace)" + (theirs.map { ",sentry-org_id=\($0)" } ?? ""),
        ]
        for (isStrict, continues) in [(false, leniently), (true, strictly)] {
            let context = read(headers, organization: ours, isStrict: isStrict)
            if continues {
                #expect(context.traceID == Self.trace)
                #expect(context.isSampled == true)
                #expect(context.frozen?.first?.name == "trace_id")
            } else {
                expectFresh(context)
            }
        }
    }

    @Test("case 94: a member that cannot be decoded is left out, its neighbours are not")
    func badMembers() {
        let baggage = Baggage(
            "sentry-a=bar,sentry-b=%3G,,=x,sentry-c=,sentry-d,sentry-=y,sentry-e=%FF, sentry-f = a%20b%3Dc=d ")
        #expect(baggage.sentry == [.init(name: "a", value: "bar"), .init(name: "f", value: "a b=c=d")])
        #expect(baggage.others.isEmpty)
        #expect(Baggage("").sentry.isEmpty && Baggage(",,").others.isEmpty)
        // Others' members are nobody's business: they are not decoded, and stay as they came.
        #expect(Baggage("foo=bar,foo2=%3G").others == ["foo=bar", "foo2=%3G"])
    }

    @Test("case 95: a new member of ours removes all old ones; others stay, in order")
    func replaced() {
        let existing = "a=1,sentry-trace_id=old,b=2;p=3,sentry-release=old"
        #expect(
            Baggage.header(existing: existing, adding: [("trace_id", "new"), ("release", "shop@1 ü")])
                == "a=1,b=2;p=3,sentry-trace_id=new,sentry-release=shop%401%20%C3%BC")
        #expect(Baggage.header(existing: existing, adding: []) == "a=1,b=2;p=3,sentry-trace_id=old,sentry-release=old")
        #expect(Baggage.header(existing: nil, adding: []) == nil)
    }

    @Test("case 96: the header is never longer than 8192 bytes; whole members are left out")
    func limit() throws {
        let many = (0..<2000).map { ("key\($0)", "välue") }
        let others = (0..<500).map { "other\($0)=x" }.joined(separator: ",")
        for header in [Baggage.header(existing: others, adding: many), Baggage.header(existing: nil, adding: many)] {
            let header = try #require(header)
            #expect(header.utf8.count <= 8192)
            #expect(header.utf8.count > 8100)
            let members = header.split(separator: ",", omittingEmptySubsequences: false)
            #expect(members.allSatisfy { $0.hasSuffix("=x") || $0.hasSuffix("=v%C3%A4lue") })
        }
        let long = [("a", String(repeating: "x", count: 9000)), ("b", "1")]
        #expect(Baggage.header(existing: nil, adding: long) == "sentry-b=1")
        #expect(Baggage.header(existing: nil, adding: [long[0]]) == nil)
    }

    @Test(
        "case 97: a missing sample_rand lies in the half that the caller's decision leaves",
        arguments: [("-1", "0.25", 0, 0.25), ("-0", "0.25", 0.25, 1), ("", "0.25", 0, 1), ("-1", "x", 0, 1)])
    func random(_ flag: String, rate: String, from low: Double, to high: Double) throws {
        for _ in 0..<500 {
            let context = read([
                "sentry-trace": "\(Self.trace)-\(Self.span)\(flag)",
                "baggage": "sentry-trace_id=\(Self.trace),sentry-sample_rate=\(rate)",
            ])
            let random = try #require(context.random)
            #expect((low..<high).contains(random))
            #expect(abs(random * 1e6 - (random * 1e6).rounded()) < 1e-3, "six decimals at most: \(random)")
        }
    }

    @Test("case 97: a sample_rand of the caller's is taken; one that is none is replaced")
    func givenRandom() {
        func random(_ text: String) -> Double? {
            read([
                "sentry-trace": "\(Self.trace)-\(Self.span)-1", "baggage": "sentry-sample_rand=\(text),sentry-sample_rate=0.1",
            ]).random
        }
        #expect(random("0.734512") == 0.734512)
        #expect(random("0") == 0)
        for text in ["1", "-0.1", "x", "nan"] { #expect(random(text).map { (0..<0.1).contains($0) } == true) }
    }

    @Test("W3C's traceparent is taken where there is no sentry-trace; its flag 0 leaves the decision open")
    func traceparent() {
        let context = read(["traceparent": "00-\(Self.trace)-\(Self.span)-01"])
        #expect(context.traceID == Self.trace && context.isSampled == true && context.frozen == [])
        #expect(read(["traceparent": "00-\(Self.trace)-\(Self.span)-00"]).isSampled == nil)
        let other = "ffffffffffffffffffffffffffffffff"
        let both = read(["traceparent": "00-\(other)-\(Self.span)-01", "sentry-trace": "\(Self.trace)-\(Self.span)-0"])
        #expect(both.traceID == Self.trace && both.isSampled == false)
        for bad in ["ff-\(Self.trace)-\(Self.span)-01", "00-\(Self.trace)-\(Self.span)", "00-\(Self.trace)-\(Self.span)-01-x"] {
            expectFresh(read(["traceparent": bad]))
        }
    }

    @Test("case 99: a trace of our own has no decision: no flag goes out, and the sampling context has no rate")
    func own() throws {
        let context = TraceContext()
        #expect(context.sentryTrace == "\(context.traceID)-\(context.spanID)")
        let header = try #require(envelopeHeader(context, organization: "42"))
        #expect(
            header["trace"]?.dictionary == [
                "trace_id": context.traceID, "public_key": "key", "release": "shop@1", "environment": "production",
                "org_id": "42",
            ])
    }

    @Test("a scope has one trace, whoever asks first")
    func once() async {
        let box = ReportingScope()
        let ids = await withTaskGroup(of: String.self) { group in
            for _ in 0..<64 { group.addTask { box.trace { TraceContext() }.traceID } }
            return await group.reduce(into: Set<String>()) { $0.insert($1) }
        }
        #expect(ids.count == 1)
        #expect(box.copy().trace { TraceContext() }.traceID == ids.first)
        #expect(ReportingScope().trace { TraceContext() }.traceID != ids.first)
    }

    @Test("baggage and rate limits are split by octets")
    func octets() {
        let baggage = Baggage("a=1,\u{301}b=2,sentry-trace_id=\u{301}3;x,sentry-\u{301}n=4")
        #expect(baggage.others == ["a=1", "\u{301}b=2"])
        #expect(baggage.sentry == [.init(name: "trace_id", value: "\u{301}3"), .init(name: "\u{301}n", value: "4")])
        var limits = SentryRateLimits()
        let now = WallClock.Instant(millisecondsSinceEpoch: 0)
        limits.update(status: 200, limits: "60:error:key,\u{301}60::key, 60:log_item:key", retryAfter: nil, now: now)
        #expect(limits.isLimited(.error, at: now))
        #expect(limits.isLimited(.logItem, at: now))
        #expect(!limits.isLimited(.session, at: now))
    }
}
