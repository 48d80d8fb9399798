internal import HTTPTypes
package import SluiceReporting
internal import SluiceStreaming

/// An app's list, ready to answer requests.
package struct Chain: Sendable {
    private let middleware: [any Middleware]
    private let table: RouteTable
    private let capture: CaptureErrors
    package let flush: FlushReports
    package let answer: ErrorAnswer

    package init(_ pipeline: CompletePipeline, answer: @escaping ErrorAnswer) {
        middleware = pipeline.middleware
        table = RouteTable(pipeline.routers)
        capture = pipeline.capture
        flush = pipeline.flush
        self.answer = answer
    }

    /// What `CaptureErrors` was given; nil: all of it comes from the environment.
    package var reportOptions: ReportOptions? { capture.options }

    /// What must stop start-up.
    package var problems: [RouteError] { table.problems }

    /// Runs the chain. The answer's failures are captured and flushed, or will be when its body has been written:
    /// whoever sends it sends the last byte only after that.
    package func respond(to request: Request, reporter: any Reporter) async -> Response {
        let (table, answer) = (table, answer)
        if Reports.isOn { InvocationScope.current?.report.setRequest { RawRequest(request) } }
        let next = Next(rest: middleware[...], handler: { try await table.handle($0, answer: answer) }, answer: answer)
        var response = checked(await next(request), request)
        response.dropForbiddenBody(for: request)
        capture.apply(to: &response, of: request, reporter)
        await flush.apply(to: &response, reporter)
        return response
    }

    /// A status that no final answer may have (1xx, below 100, over 999) is a mistake of the app: a 500 that says so.
    private func checked(_ response: Response, _ request: Request) -> Response {
        guard !UnusableStatus.isUsable(response.status) else { return response }
        let error = response.error ?? UnusableStatus(code: response.status.code)
        let replacement = response.replaced(by: error, for: request, with: answer)
        // The app's own shape may be where the status comes from.
        return UnusableStatus.isUsable(replacement.status)
            ? replacement : response.replaced(by: error, for: request, with: problemAnswer)
    }
}

/// A status that cannot end an exchange.
struct UnusableStatus: Error, CustomStringConvertible {
    let code: Int
    var description: String { "\(code) is not a final HTTP status: an answer has one from 200 to 999" }

    static func isUsable(_ status: HTTPResponse.Status) -> Bool { (200...999).contains(status.code) }
}
