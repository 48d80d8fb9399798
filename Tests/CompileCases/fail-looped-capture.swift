// expect: CaptureErrors() is never conditional
import Sluice

struct Step: Middleware {
    func handle(_ request: Request, next: Next) async throws -> Response { await next(request) }
}

func build(_ routes: Router, _ flag: Bool) -> LambdaApp {
    LambdaApp {
        routes
        for _ in 0..<2 { CaptureErrors() }
    }
}
