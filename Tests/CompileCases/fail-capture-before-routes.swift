// expect: CaptureErrors() covers what the routes produce: put the routes above it
import Sluice

struct Step: Middleware {
    func handle(_ request: Request, next: Next) async throws -> Response { await next(request) }
}

func build(_ routes: Router, _ flag: Bool) -> LambdaApp {
    LambdaApp {
        Step()
        CaptureErrors()
        routes
    }
}
