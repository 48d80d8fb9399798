// expect: FlushReports() is never conditional
import Sluice

struct Step: Middleware {
    func handle(_ request: Request, next: Next) async throws -> Response { await next(request) }
}

func build(_ routes: Router, _ flag: Bool) -> LambdaApp {
    LambdaApp {
        routes
        CaptureErrors()
        if flag { FlushReports() } else { FlushReports() }
    }
}
