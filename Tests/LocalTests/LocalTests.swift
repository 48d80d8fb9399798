import Foundation
import SluiceTestSupport
import Testing

@testable import SluiceCore
@testable import SluiceLocal
@testable import SluiceStreaming

@Suite struct WireAnswerTests {
    @Test("the prelude is found wherever the chunks are cut")
    func scanner() {
        let bytes = Array("{\"statusCode\":200}".utf8) + [UInt8](repeating: 0, count: 8) + [0, 0, 1, 2]
        for size in 1...bytes.count {
            var scanner = PreludeScanner()
            var body: [UInt8] = []
            var prelude: [UInt8]?
            for start in stride(from: 0, to: bytes.count, by: size) {
                let part = Array(bytes[start..<min(start + size, bytes.count)])
                if scanner.isDone {
                    body += part
                } else if let found = scanner.take(part) {
                    prelude = found.prelude
                    body += found.rest
                }
            }
            #expect(prelude.map { String(decoding: $0, as: UTF8.self) } == "{\"statusCode\":200}")
            #expect(body == [0, 0, 1, 2])
            #expect(scanner.delimiterIsWhole)
        }
        var seven = PreludeScanner()
        _ = seven.take(Array("{}".utf8) + [UInt8](repeating: 0, count: 7) + [1])
        #expect(!seven.delimiterIsWhole)
    }

    @Test(
        "the platform keeps error types of its form, and calls the others Unknown",
        arguments: [
            ("Function.HandlerError", true), ("Runtime.ExitError", true), ("xRuntime.Abc", true), ("", false),
            ("MyCustomError", false),
            ("MyCustomError.Error", false), ("Function.x", false), ("Function.X", false), ("Unhandled", false),
        ])
    func errorTypes(_ sent: String, kept: Bool) {
        let shown = RuntimeAPIServer.platformType(sent)
        #expect((shown == sent) == kept)
        if !kept { #expect(shown.hasPrefix(sent.hasPrefix("Function.") ? "Function.Unknown" : "Runtime.Unknown")) }
    }
}

@Suite struct LocalSettingsTests {
    @Test("the program in the sandbox may be another one; one that cannot be run stops the start, with the variable's name")
    func program() throws {
        #expect(try LocalSettings([:]).program == nil)
        #expect(try LocalSettings(["SLUICE_LOCAL_PROGRAM": "/bin/sh"]).program == "/bin/sh")
        #expect(try LocalSettings(["SLUICE_LOCAL_PROGRAM": "/bin/sh"]).programFolder == "/bin/")
        #expect(try LocalSettings([:]).programFolder == nil)
        let problem = #expect(throws: LocalSettings.Problem.self) { try LocalSettings(["SLUICE_LOCAL_PROGRAM": "/bin/nobody"]) }
        #expect(problem?.description.hasPrefix("SLUICE_LOCAL_PROGRAM: ") == true)
    }

    @Test("a front end is one of those that there are, and streams where it can")
    func fronts() throws {
        #expect(try LocalSettings([:]).front == .functionURL)
        #expect(try LocalSettings(["SLUICE_LOCAL_FRONT": ""]).front == .functionURL)
        let names = ["url", "http", "rest", "alb", "alb-multi", "lattice", "lattice1"]
        #expect(try names.map { try LocalSettings(["SLUICE_LOCAL_FRONT": $0]).front } == FrontEndKind.allCases)
        let streaming = try names.filter {
            try LocalSettings(["SLUICE_LOCAL_FRONT": $0]).front.gateway.canStream
        }
        #expect(streaming == ["url", "rest"])
        for bad in ["URL", "rest ", "nginx"] {
            let problem = #expect(throws: LocalSettings.Problem.self) { try LocalSettings(["SLUICE_LOCAL_FRONT": bad]) }
            #expect(problem?.description.hasPrefix("SLUICE_LOCAL_FRONT: expected one of url, http, ") == true)
        }
    }
}
