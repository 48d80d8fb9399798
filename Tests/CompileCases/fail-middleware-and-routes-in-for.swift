// expect: a branch or a loop holds middleware or routes, not both
import Sluice

struct Step: Middleware {
    func handle(_ request: Request, next: Next) async throws -> Response { await next(request) }
}

func build(_ routes: Router, _ flag: Bool) -> LambdaApp {
    LambdaApp {
        for _ in 0..<2 { Step(); routes }
    }
}
