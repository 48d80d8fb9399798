// expect: a line is a Middleware, a Router, Events, CaptureErrors() or FlushReports()
import Sluice

struct Step: Middleware {
    func handle(_ request: Request, next: Next) async throws -> Response { await next(request) }
}

func build(_ routes: Router, _ flag: Bool) -> LambdaApp {
    LambdaApp {
        42
        routes
    }
}
