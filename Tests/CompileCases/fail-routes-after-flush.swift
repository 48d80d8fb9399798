// expect: nothing goes after FlushReports(): an error of these routes
import Sluice

struct Step: Middleware {
    func handle(_ request: Request, next: Next) async throws -> Response { await next(request) }
}

func build(_ routes: Router, _ flag: Bool) -> LambdaApp {
    LambdaApp {
        routes
        CaptureErrors()
        FlushReports()
        routes
    }
}
