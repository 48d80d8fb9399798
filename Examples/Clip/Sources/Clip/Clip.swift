// cd Examples/Clip
// export CLIP_SECRET=$(openssl rand -base64 32) CLIP_USERS=ada:lovelace
// AWS_LWA_INVOKE_MODE=response_stream AWS_LAMBDA_MAX_CONCURRENCY=16 swift run Clip
// Then http://localhost:8080 in a browser, which sends the session's cookie to "localhost" without HTTPS, and not to 127.0.0.1.
// That many workers, as each page has an event stream open, for twenty seconds also when it is gone: AWS would have a sandbox for each.
import Foundation
import Sluice

@main
struct Clip {
    static func main() async throws {
        try await LambdaApp.run {
            let settings = try Settings(environment: ProcessInfo.processInfo.environment)
            return try await makeApp(database: Store.open(settings.database), settings: settings)
        }
    }
}
