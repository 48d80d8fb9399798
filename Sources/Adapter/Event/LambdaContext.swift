public import SluiceEvents
public import SluiceMiddleware
public import SluiceCore

/// What only Lambda knows of a request. Handlers that stay off it run behind any front end.
public struct LambdaContext: Sendable {
    fileprivate let invocation: Invocation
    private let form: EventForm?

    init(_ invocation: Invocation, _ form: EventForm?) { (self.invocation, self.form) = (invocation, form) }

    /// What Lambda would know of a request, for a test: `request.lambda = LambdaContext(event: json)`, or
    /// `try Request(LambdaContext(event: json))` for the request that an event stands for.
    ///
    /// - Parameters:
    ///   - event: The event's JSON, of any front end.
    ///   - requestID: The platform's id of the invocation.
    ///   - functionARN: The function's ARN.
    ///   - deadline: When the service will stop the invocation.
    ///   - traceID: As `Root=1-…;Parent=…;Sampled=0`.
    ///   - tenantID: Of tenant isolation mode.
    ///   - cognitoIdentity: The Cognito identity of an SDK caller.
    ///   - clientContext: JSON that an SDK caller sends along.
    public init(
        event: String, requestID: String = "00000000-0000-4000-8000-000000000000",
        functionARN: String = "arn:aws:lambda:us-east-1:123456789012:function:test",
        deadline: WallClock.Instant = .now.advanced(by: .seconds(30)), traceID: String? = nil, tenantID: String? = nil,
        cognitoIdentity: CognitoIdentity? = nil, clientContext: String? = nil
    ) {
        form = nil
        invocation = Invocation(
            id: requestID, deadline: deadline, functionARN: functionARN, traceID: traceID, tenantID: tenantID,
            identity: cognitoIdentity, clientContext: clientContext, event: Array(event.utf8))
    }

    /// The event as it came.
    public var event: LambdaEvent { LambdaEvent(json: invocation.event) }
    /// The function's ARN, with version or alias where the caller used one.
    public var functionARN: String { invocation.functionARN }
    /// `Root=1-…;Parent=…;Sampled=0`, for X-Ray; nil when the platform sent none.
    public var traceID: String? { invocation.traceID }
    /// Set in tenant isolation mode only.
    public var tenantID: String? { invocation.tenantID }
    /// What stands between the client and the function; nil for an event that is no HTTP request.
    public var frontEnd: FrontEnd? { eventForm?.frontEnd }
    private var eventForm: EventForm? {
        form ?? (try? RequestEvent(invocation.event, id: invocation.id, deadline: nil))?.form
    }
    /// Who the front end says is calling; nil where it asks nobody. Read from the event at each call: keep it.
    public var identity: CallerIdentity? { CallerIdentity.read(invocation.event, eventForm) }
    /// The Cognito identity of a caller of AWS's SDK; nil without one.
    public var cognitoIdentity: CognitoIdentity? { invocation.identity }
    /// JSON that an SDK caller sent along; nil without one.
    public var clientContext: String? { invocation.clientContext }
    /// When the service will stop the invocation.
    public var deadline: WallClock.Instant { invocation.deadline }
}

/// A caller's Cognito identity.
public struct CognitoIdentity: Sendable, Equatable {
    /// The identity's id, as `eu-west-1:…`.
    public let identityID: String
    /// The id of the pool that it belongs to.
    public let poolID: String

    /// - Parameters:
    ///   - identityID: The identity's id, as `eu-west-1:…`.
    ///   - poolID: The id of the pool that it belongs to.
    public init(identityID: String, poolID: String) {
        self.identityID = identityID
        self.poolID = poolID
    }
}

extension Request {
    /// What Lambda knows of this request; nil off Lambda.
    public var lambda: LambdaContext? {
        get { frontEnd as? LambdaContext }
        set { frontEnd = newValue }
    }

    /// The request that an event stands for, for a test: what a handler would get from Lambda.
    ///
    /// - Throws: An error that says what is wrong with the event; a client would get a 400 for it.
    public init(_ context: LambdaContext) throws { self = try RequestEvent(context.invocation).request }
}
