// expect: an app needs routes: put a Router, or Events, below its middleware
import Sluice

struct Step: Middleware {
    func handle(_ request: Request, next: Next) async throws -> Response { await next(request) }
}

func build(_ routes: Router, _ flag: Bool) -> LambdaApp {
    LambdaApp {
        Step()
    }
}
