// expect: services need Sluice's trait ServiceLifecycle
// line: 10
import Sluice

struct Pool: Sendable {
    func run() async throws {}
}

func build() -> LambdaApp {
    LambdaApp(services: [Pool()]) { Router() }
}
