// expect: FlushReports() goes last, after the routes and CaptureErrors()
import Sluice

struct Step: Middleware {
    func handle(_ request: Request, next: Next) async throws -> Response { await next(request) }
}

func build(_ routes: Router, _ flag: Bool) -> LambdaApp {
    LambdaApp {
        FlushReports()
        routes
    }
}
