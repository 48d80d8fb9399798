import InMemoryLogging
import Logging
import Sluice
import Synchronization

@testable import SluiceSessions

let secret = "0123456789abcdef0123456789abcdef"
let formerSecret = "fedcba9876543210fedcba9876543210"
let foreignSecret = "00000000000000000000000000000000"

struct Boom: Error {}

/// Time that passes when a test says so.
final class TestClock: Sendable {
    private let moment = Mutex(WallClock.Instant(millisecondsSinceEpoch: 1_800_000_000_000))
    var now: WallClock.Instant { moment.withLock { $0 } }
    func advance(by duration: Duration) { moment.withLock { $0 = $0.advanced(by: duration) } }
}

/// Where a test's sessions live.
enum Kind: CaseIterable, Sendable {
    case cookie, memory
}

/// An app with sessions of 100 seconds, its store, its clock and its log.
struct World {
    let clock = TestClock()
    private let lines = InMemoryLogHandler()
    let store: MemorySessionStore
    let app: LambdaApp

    init(
        _ kind: Kind = .cookie, store other: (any SessionStore)? = nil, cookie: Sessions.Cookie = Sessions.Cookie(),
        lifetime: Duration = .seconds(100), secrets: [String] = [secret], routes build: (inout Router) -> Void = { _ in }
    ) throws {
        let (time, log) = (clock, lines)
        let memory = MemorySessionStore { time.now }
        store = memory
        let place: Sessions.Place =
            switch kind {
            case .cookie: .cookie
            case .memory: .store(other ?? memory)
            }
        let sessions = Sessions(
            keys: try SigningKeys(secrets), place: place, cookie: cookie, lifetime: lifetime,
            logger: Logger(label: "sessions") { _ in log }, now: { time.now })
        var routes = Self.routes()
        build(&routes)
        let all = routes
        app = LambdaApp {
            sessions
            all
        }
    }

    private static func routes() -> Router {
        var routes = Router()
        routes.get("/none") { _ -> String in "nothing" }
        routes.get("/who") { request -> String in try request.session["user"] ?? "nobody" }
        routes.get("/new") { request -> String in try request.session.isNew ? "new" : "known" }
        routes.get("/in/{name}") { request -> String in
            try request.session["user"] = try request.parameters.require("name")
            return "in"
        }
        routes.get("/renew") { request -> String in
            try request.session.renew()
            return "renewed"
        }
        routes.get("/out") { request -> String in
            try request.session.removeAll()
            return "out"
        }
        return routes
    }

    /// The level of each record.
    var levels: [Logger.Level] { lines.entries.map(\.level) }
    /// The words of each record, and the error where it has one.
    var records: [String] { lines.entries.map { "\($0.message) \($0.metadata["error"] ?? "")" } }
}

/// Keeps cookies as a browser does, but for their age: that is the server's to look at, in these tests.
final class Browser {
    private let app: LambdaApp
    var cookies: [String: String] = [:]

    init(_ world: World) { app = world.app }

    func get(_ target: String) async -> Response {
        var request = Request(.get, target)
        if !cookies.isEmpty {
            request.headers[.cookie] = cookies.map { "\($0.key)=\($0.value)" }.sorted().joined(separator: "; ")
        }
        let response = await app.respond(to: request)
        for line in response.headers[values: .setCookie] { keep(line) }
        return response
    }

    private func keep(_ line: String) {
        guard let pair = line.split(separator: ";").first, let equals = pair.firstIndex(of: "=") else { return }
        let value = String(pair[pair.index(after: equals)...])
        cookies[String(pair[..<equals])] = line.contains("; Max-Age=0") ? nil : value
    }

    /// The session's cookie.
    var session: String? { cookies["__Host-session"] }
}

/// Text of characters of all kinds, also such as no cookie may hold.
func randomText(upTo count: Int = 60) -> String {
    let highest: UInt32 = [0x7F, 0x2FF, 0x10FFFF].randomElement() ?? 0x7F
    let scalars = (0..<Int.random(in: 0...count)).compactMap { _ in Unicode.Scalar(UInt32.random(in: 0...highest)) }
    return String(String.UnicodeScalarView(scalars))
}

/// The cookies of a request with this header.
func cookies(_ header: String) -> Cookies { Request(.get, "/", headers: [.cookie: header]).cookies }

/// The text with one bit of one of its octets turned over.
func flipping(bit: Int, of place: Int, in text: String) -> String {
    var octets = Array(text.utf8)
    octets[place] ^= 1 << UInt8(bit)
    return String(decoding: octets, as: UTF8.self)
}
