import SluiceTestSupport

@testable import SluiceCore
@testable import SluiceMiddleware

extension CompletePipeline {
    /// Routes and nothing else.
    static func of(_ router: Router) -> CompletePipeline {
        PipelineBuilder.buildFinalResult(PipelineBuilder.buildExpression(router))
    }
}

extension Parameters {
    var all: [(name: String, value: String)] { pairs }
}

/// Notes what is captured and flushed, in order.
final class NotingReporter: SettlingReporter {
    let notes = Collected<String>()
    let failures = Collected<Failure>()
    func capture(_ failure: Failure) {
        failures.add(failure)
        notes.add("capture")
    }
    func flush(within limit: Duration) async { notes.add("flush") }
}

func respond(
    _ pipeline: CompletePipeline, _ request: Request, _ reporter: any SettlingReporter = NotingReporter(),
    responder: @escaping ErrorResponder = problemResponse(to:for:)
) async -> Response {
    let chain = Chain(pipeline, responder: responder)
    let response = await chain.collected(await chain.respond(to: request), to: request, limit: .max)
    await chain.complete(response, of: request, reporter)
    return response
}

func respond(
    _ request: Request, _ reporter: any SettlingReporter = NotingReporter(),
    responder: @escaping ErrorResponder = problemResponse(to:for:),
    @PipelineBuilder _ pipeline: () -> CompletePipeline
) async -> Response { await respond(pipeline(), request, reporter, responder: responder) }

struct Boom: Error {}
