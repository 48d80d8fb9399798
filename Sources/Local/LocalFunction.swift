/// What a front end invokes: a function that runs in one sandbox, or in several.
protocol LocalFunction: AnyObject, Sendable {
    /// Hands an invocation to the app and suspends until the client has its response.
    func invoke(_ invocation: LocalInvocation) async
}
