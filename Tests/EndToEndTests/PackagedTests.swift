import Foundation
import SluiceTestSupport
import Testing

/// The packaged program in a root that holds its zip's content and the files of a few Debian packages: what is not there is not
/// needed. That Amazon Linux's versions do is what `scripts/portable` checks.
@Suite(
    .serialized,
    .enabled(if: Packaged.canBeTried, "a root of its own takes Debian's dpkg, and root or user namespaces"))
struct PackagedTests {
    @Test("one file, bootstrap, mode 755, nothing else of this machine; the same build gives the same bytes")
    func zip() async throws {
        let package = try await Packaged.made.value
        #expect(try await Packaged.run("unzip -Z1 '\(package.zip)'") == ["bootstrap", "END 0"])
        let entry = try await Packaged.run("unzip -Zv '\(package.zip)'").joined(separator: "\n")
        #expect(entry.contains("Unix file attributes (100755 octal)"))
        #expect(entry.contains(/length of extra field: +0 bytes/))
        #expect(entry.contains(/last modified on \(DOS date\/time\): +1980 Jan 1 00:00:00/))
        let folder = TemporaryFolder()
        defer { withExtendedLifetime(folder) {} }
        let sections = try await Packaged.run(
            "unzip -q '\(package.zip)' -d '\(folder.path)' && readelf -SW '\(folder.path)/bootstrap'")
        #expect(sections.contains { $0.contains(" .text ") } && sections.last == "END 0")
        #expect(!sections.contains { $0.contains(" .symtab ") || $0.contains(" .debug_") })
        // Position-independent: its address is another one at each start.
        #expect(try await Packaged.run("readelf -h '\(folder.path)/bootstrap'").contains { $0.contains(" DYN ") })
        let again = try await Packaged.make("Reporting", in: "again")
        #expect(try await Packaged.run("cmp '\(package.zip)' '\(again.zip)'") == ["END 0"])
    }

    @Test("what the app does not use is not in it: Foundation's coders, regular expressions, unwind tables")
    func content() async throws {
        let package = try await Packaged.make("Hello", in: "package")
        let names = try await Packaged.run("nm '\(package.debugFile)'")
        #expect(names.contains { $0.contains("6Sluice") } && names.last == "END 0")
        #expect(!names.contains { $0.contains("20FoundationEssentials") || $0.contains("12_RegexParser") })
        let sections = try await Packaged.run("readelf -SW '\(package.debugFile)'")
        #expect(sections.contains { $0.contains(" .text ") } && !sections.contains { $0.contains(" .eh_frame ") })
    }

    @Test("it answers in both modes", arguments: ["buffered", "response_stream"])
    func answers(_ mode: String) async throws {
        let root = try await Packaged.made.value.root()
        let local = try #require(try root.start(mode: mode))
        let answer = try #require(local.get("/fine"))
        #expect(answer.status == 200, "\(local.program.errors)")
        #expect(answer.text == "fine")
        #expect(answer["transfer-encoding"] == (mode == "buffered" ? nil : "chunked"))
        #expect(try #require(local.report("/fine")).contains(mode == "buffered" ? "buffered  4 B" : "streamed  4 B"))
        let cut = try #require(local.get("/stream/fail"))
        #expect(cut.status == (mode == "buffered" ? 500 : 200))
        if mode != "buffered" { #expect(cut.text == "begun ") }
        #expect(local.get("/fine")?.text == "fine")
    }

    @Test("its report leaves through libcurl, with addresses that the debug file turns into lines")
    func report() async throws {
        let package = try await Packaged.made.value
        let ingest = MockIngest()
        defer { ingest.stop() }
        let root = try await package.root()
        let local = try #require(try root.start(["SENTRY_DSN": "http://key@127.0.0.1:\(ingest.port)/1"]))
        #expect(local.get("/fail?n=1")?.status == 500)
        let event = try #require(try ingest.events().first)

        let image = try #require(event["debug_meta"]?["images"]?.elements?.first)
        let buildID = try #require(image["code_id"]?.text)
        let debugID = try #require(image["debug_id"]?.text)
        #expect(buildID.count == 40)
        #expect(package.output.contains { $0.contains("build id: \(buildID), debug id: \(debugID)") }, "\(package.output)")
        #expect(package.output.last?.contains("sentry-cli debug-files upload") == true)
        #expect(package.output.last?.contains("--id \(debugID) --require-all \(package.debugFile)") == true)
        #expect(try await Packaged.run("readelf -n '\(package.debugFile)'").contains { $0.contains(buildID) })

        let frames = try #require(event["exception"]?["values"]?.elements?.last?["stacktrace"]?["frames"]?.elements)
        // The file's addresses: what is less than where the image lies.
        let base = try #require(image["image_addr"]?.text.flatMap(Self.number))
        let addresses = frames.reversed().compactMap { $0["instruction_addr"]?.text.flatMap(Self.number) }
            .map { "0x" + String($0 - min(base, $0), radix: 16) }
        #expect(addresses.count == frames.count && frames.count > 3)
        let lines = try await Packaged.run("addr2line -e '\(package.debugFile)' \(addresses.joined(separator: " "))")
        #expect(lines.first?.contains("/Examples/Reporting/Reporting.swift:") == true, "\(lines)")
        // Callers across `await`: the stack walk works without symbols.
        #expect(lines.contains { $0.contains("/Sources/Adapter/Runtime/") }, "\(lines)")
    }

    private static func number(_ text: String) -> UInt64? { UInt64(text.dropFirst(2), radix: 16) }

    @Test("libgcc is inside, and nobody asks for its library where the main thread waits")
    func withoutLibgcc() async throws {
        let root = try await Packaged.made.value.root(without: "libgcc_s.so.1")
        let local = try #require(try root.start())
        #expect(local.get("/fine")?.text == "fine", "\(local.program.errors)")
        #expect(local.get("/fail?n=1")?.status == 500)
        #expect(local.get("/fine")?.text == "fine")
        #expect(local.program.errorLine(containing: "libgcc") == nil)
    }

    @Test("without libcurl it answers all the same, and says that reports cannot leave")
    func withoutLibcurl() async throws {
        let root = try await Packaged.made.value.root(without: "libcurl.so.4")
        let local = try #require(try root.start())
        let answer = try #require(local.get("/fail?n=1"))
        #expect(answer.status == 500, "\(local.program.errors)")
        #expect(local.program.errorLine(containing: "libcurl") != nil)
        #expect(local.get("/fine")?.text == "fine")
    }
}
