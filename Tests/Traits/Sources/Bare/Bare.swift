// Reports go over OTLP, or to the log.
import Sluice

@main
struct Bare {
    static func main() async throws {
        var routes = Router()
        routes.get("/fail") { _ -> String in throw HTTPError(.badGateway) }
        try await LambdaApp {
            routes
            CaptureErrors()
            FlushReports()
        }.run()
    }
}
