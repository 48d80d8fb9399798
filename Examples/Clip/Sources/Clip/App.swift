import GRDB
import Sluice
import SluiceSessions

/// The whole app on a database of the caller's: a file on Lambda, memory in tests.
func makeApp(database: DatabaseQueue, settings: Settings) async throws -> LambdaApp {
    let store = try Store(database)
    let accounts = Accounts(store: store, hasher: settings.passwords)
    try await accounts.add(settings.users)
    let feed = Feed()

    return LambdaApp(errorResponse: errorResponse) {
        RequestID()
        AccessLog()
        LogContext()
        Tracing()
        Metrics()
        SecurityHeaders(frameOptions: "DENY", contentSecurityPolicy: contentSecurityPolicy)
        // For the whole app, though it is meant for /api: in a group it would not see preflights, which no route takes.
        if !settings.origins.isEmpty { CORS(origins: .list(settings.origins), exposes: [.location]) }
        Compression()
        ConditionalRequests()
        CacheControl("private, no-cache")
        BodyLimit(bytes: settings.bodyLimit)
        Timeout(after: .seconds(10))
        StaticFiles(from: settings.assets, at: "/assets", cacheControl: "public, max-age=3600")
        Sessions(keys: settings.keys)
        accountRoutes(accounts)
        linkRoutes(store, feed)
        pasteRoutes(store)
        fileRoutes(store)
        exportRoutes(store)
        eventRoutes(store, feed, heartbeat: settings.heartbeat)
        apiRoutes(accounts, feed)
        CaptureErrors()
        FlushReports(within: .seconds(2))
    }
}

/// Style and script come from this host alone, and none stands in the pages themselves: what got in unescaped would not run.
private let contentSecurityPolicy = [
    "default-src 'none'", "style-src 'self'", "script-src 'self'", "connect-src 'self'", "form-action 'self'",
    "base-uri 'none'", "frame-ancestors 'none'",
].joined(separator: "; ")
