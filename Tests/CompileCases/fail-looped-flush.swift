// expect: FlushReports() is never conditional
import Sluice

struct Step: Middleware {
    func handle(_ request: Request, next: Next) async throws -> Response { await next(request) }
}

func build(_ routes: Router, _ flag: Bool) -> LambdaApp {
    LambdaApp {
        routes
        CaptureErrors()
        for _ in 0..<2 { FlushReports() }
    }
}
