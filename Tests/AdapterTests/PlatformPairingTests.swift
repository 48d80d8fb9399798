import SluiceTestSupport
import Testing

@testable import Sluice
@_spi(JSON) @testable import SluiceCore

/// What the platform says, and what this process did, brought together.
@Suite struct PlatformPairingTests {
    private func done(_ id: String, _ status: String?, _ type: String? = nil) -> PlatformRecord {
        PlatformRecord(kind: .runtimeDone, requestID: id, status: status, errorType: type)
    }

    private let fine = ReplyEnd(.response, status: 200, bytes: 5)

    @Test("an error of an invocation that was answered is told once, however often the platform says it")
    func once() throws {
        let pairing = PlatformPairing()
        #expect(pairing.note("a", fine) == nil)
        let miscount = try #require(pairing.hear(done("a", "error", "Runtime.Unknown")))
        #expect(miscount.requestID == "a")
        #expect(miscount.ours == fine)
        #expect(miscount.platform.errorType == "Runtime.Unknown")
        #expect(pairing.hear(PlatformRecord(kind: .report, requestID: "a", status: "error")) == nil)
        #expect(pairing.hear(PlatformRecord(kind: .fault, requestID: "a")) == nil)
    }

    @Test(
        "error, failure, time-out and fault are trouble; success and a record without a status are not",
        arguments: [("error", true), ("failure", true), ("timeout", true), ("success", false), (nil, false)])
    func statuses(_ status: String?, isTrouble: Bool) {
        let pairing = PlatformPairing()
        #expect(pairing.note("a", fine) == nil)
        #expect((pairing.hear(done("a", status)) != nil) == isTrouble)
        #expect((pairing.hear(PlatformRecord(kind: .fault, requestID: "a")) != nil) == !isTrouble)
    }

    @Test("what has failed here already is no news", arguments: [ReplyEnd.Kind.nothing, .error, .trailers, .cut, .refused])
    func known(_ kind: ReplyEnd.Kind) {
        let pairing = PlatformPairing()
        #expect(pairing.note("a", ReplyEnd(kind, status: 200)) == nil)
        #expect(pairing.hear(done("a", "error")) == nil)
    }

    @Test("a response with a status of 500 is no failed invocation, and counts")
    func serverError() {
        let pairing = PlatformPairing()
        #expect(pairing.note("a", ReplyEnd(.response, status: 500)) == nil)
        #expect(pairing.hear(done("a", "error"))?.ours.status == 500)
    }

    @Test("what the platform says too early is told when the invocation is over, once and with all that was said")
    func early() throws {
        let pairing = PlatformPairing()
        var first = done("a", "error", "Runtime.Unknown")
        first.producedBytes = 7
        #expect(pairing.hear(first) == nil)
        #expect(pairing.hear(PlatformRecord(kind: .report, requestID: "a", status: "error")) == nil)
        let miscount = try #require(pairing.note("a", fine))
        #expect(miscount.platform.producedBytes == 7)
        #expect(pairing.hear(PlatformRecord(kind: .fault, requestID: "a")) == nil)
    }

    @Test("an id that this process never served is ignored, and does not push others out")
    func unknown() {
        let pairing = PlatformPairing()
        #expect(pairing.note("a", fine) == nil)
        for number in 0..<1000 { #expect(pairing.hear(done("other-\(number)", "error")) == nil) }
        #expect(pairing.hear(done("a", "error")) != nil)
    }

    @Test("the last 256 invocations are known, and of those that came before nothing is kept")
    func bounded() {
        let pairing = PlatformPairing()
        for number in 0..<1000 { #expect(pairing.note("id-\(number)", fine) == nil) }
        #expect(pairing.hear(done("id-743", "error")) == nil)
        for number in 744..<1000 { #expect(pairing.hear(done("id-\(number)", "error")) != nil) }
        for number in 744..<1000 { #expect(pairing.hear(done("id-\(number)", "error")) == nil) }
    }

    @Test("what was said first is in the report of what was said last")
    func merged() throws {
        let pairing = PlatformPairing()
        #expect(pairing.note("a", fine) == nil)
        var first = done("a", "success")
        first.spans = ["responseLatency": 1.5]
        first.producedBytes = 9
        #expect(pairing.hear(first) == nil)
        let miscount = try #require(
            pairing.hear(PlatformRecord(kind: .report, requestID: "a", status: "error", errorType: "Runtime.ExitError")))
        #expect(miscount.platform.status == "error")
        #expect(miscount.platform.spans == ["responseLatency": 1.5])
        #expect(miscount.platform.producedBytes == 9)
    }

    @Test(
        "an end is one word",
        arguments: [
            ReplyEnd(.nothing), ReplyEnd(.response, status: 200, bytes: 0), ReplyEnd(.response, status: 999, bytes: 200 << 20),
            ReplyEnd(.error), ReplyEnd(.trailers, status: 206, bytes: 1), ReplyEnd(.cut), ReplyEnd(.refused, status: 413),
        ])
    func word(_ end: ReplyEnd) {
        #expect(ReplyEnd(word: end.word) == end)
    }
}

/// Batches as Lambda documents them.
@Suite struct PlatformRecordTests {
    @Test("a batch: the end of invocations is taken, whatever the order of keys; all else is left")
    func batch() throws {
        let batch = """
            [
              {"time":"2022-10-12T00:00:15.064Z","type":"platform.initStart","record":{"initializationType":"on-demand"}},
              {"record":{"tracing":{"spanId":"54565fb41ac79632","type":"X-Amzn-Trace-Id","value":"Root=1"},
                "requestId":"6d68ca91-49c9-448d-89b8-7ca3e6dc66aa","status":"error","errorType":"Runtime.ExitError",
                "spans":[{"name":"responseLatency","start":"2022-08-02T12:01:23.521Z","durationMs":23.02},
                         {"name":"responseDuration","start":"2022-08-02T12:01:23.521Z","durationMs":20}],
                "metrics":{"durationMs":200.0,"producedBytes":15}},
               "type":"platform.runtimeDone","time":"2022-10-12T00:01:15.000Z"},
              {"type":"function","record":"[INFO] a line"},
              {"time":"2022-10-12T00:01:15.000Z","type":"platform.report","record":
                {"requestId":"b","status":"success","metrics":{"billedDurationMs":694,"durationMs":693.92,
                 "initDurationMs":397.68,"maxMemoryUsedMB":84,"memorySizeMB":128}}},
              {"type":"platform.fault","record":"RequestId: c Error: Runtime exited with error: exit status 1\\nRuntime.ExitError"},
              {"type":"platform.fault","record":{"requestId":"d","errorType":"Runtime.Unknown"}}
            ]
            """
        let records = try PlatformRecord.all(in: Array(batch.utf8))
        #expect(records.map(\.requestID) == ["6d68ca91-49c9-448d-89b8-7ca3e6dc66aa", "b", "c", "d"])
        #expect(records.map(\.kind) == [.runtimeDone, .report, .fault, .fault])
        #expect(records.map(\.isTrouble) == [true, false, true, true])
        #expect(records.map(\.errorType) == ["Runtime.ExitError", nil, "Runtime.ExitError", "Runtime.Unknown"])
        #expect(records[0].spans == ["responseLatency": 23.02, "responseDuration": 20])
        #expect(records[0].duration == 200)
        #expect(records[0].producedBytes == 15)
        #expect(records[1].duration == 693.92)
        #expect(records[1].producedBytes == nil)
    }

    @Test("what is null or of another form is left out, and not a crash")
    func odd() throws {
        let batch = """
            [{"type":"platform.runtimeDone","record":{"requestId":"a","status":"error","errorType":null,"spans":null,"metrics":null}},
             {"type":"platform.runtimeDone","record":{"status":"error"}},
             {"type":"platform.fault","record":"nobody knows"},
             {"type":"platform.report"},{}]
            """
        let records = try PlatformRecord.all(in: Array(batch.utf8))
        #expect(records == [PlatformRecord(kind: .runtimeDone, requestID: "a", status: "error")])
        for bad in ["", "{}", "[", "[1]", "[{\"type\":\"platform.report\",\"record\":1}]", "[] x"] {
            #expect(throws: JSONError.self, "\(bad)") { try PlatformRecord.all(in: Array(bad.utf8)) }
        }
    }
}
