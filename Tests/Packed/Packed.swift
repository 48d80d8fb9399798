import Foundation
import Sluice

/// What users write and a package must carry: Foundation, a resource, and the mathematics for which a newer glibc has new versions.
@main
struct Packed {
    static func main() async throws {
        var routes = Router()
        routes.get("/uuid") { _ in UUID().uuidString }
        routes.get("/resource") { _ in
            guard let url = Bundle.module.url(forResource: "greeting", withExtension: "txt") else {
                throw HTTPError(.notFound, "no greeting")
            }
            return try String(contentsOf: url, encoding: .utf8)
        }
        routes.get("/folder") { _ in try FileManager.default.contentsOfDirectory(atPath: ".").sorted().joined(separator: " ") }
        routes.get("/main") { _ in
            let actor = await MainActor.run { Thread.isMainThread }
            let later = try await Task { @MainActor in
                try await Task.sleep(for: .milliseconds(1))
                return Thread.isMainThread
            }.value
            let queue = await withCheckedContinuation { continuation in
                DispatchQueue.main.async { continuation.resume(returning: Thread.isMainThread) }
            }
            return "\(actor) \(later) \(queue)"
        }
        routes.get("/arguments") { _ in CommandLine.arguments.joined(separator: " ") }
        routes.get("/mathematics") { request in
            mathematics(try request.query.require("x", as: Double.self)).map { "\($0)" }.joined(separator: " ")
        }
        // Off the main thread before `run`: it serves the main actor all the same.
        await Task.detached {}.value
        try await LambdaApp { routes }.run()
    }
}

/// In the order in which glibc gave them a new version.
func mathematics(_ x: Double) -> [Double] {
    let y = Float(x)
    var sign: Int32 = 0
    let single: [Float] = [
        hypotf(y, 2), fmodf(y, 2), acosf(y), acoshf(1 + y), asinf(y), atanhf(y), coshf(y), j0f(y), j1f(y), log10f(y), sinhf(y),
        sqrtf(y),
        tgammaf(y), y0f(y), y1f(y), atan2f(y, 2), remainderf(y, 2), jnf(2, y), ynf(2, y), lgammaf(y), lgammaf_r(y, &sign),
    ]
    return [hypot(x, 2), fmod(x, 2), remainder(x, 2)] + single.map(Double.init)
}
