internal import FoundationEssentials
public import SluiceMiddleware
public import SluiceCore

/// What only Lambda knows of a request. Handlers that stay off it run behind any front end.
public struct LambdaContext: Sendable {
    private let invocation: Invocation

    init(_ invocation: Invocation) { self.invocation = invocation }

    /// The event as it came.
    public var event: LambdaEvent { LambdaEvent(json: invocation.event) }
    /// The function's ARN, with version or alias where the caller used one.
    public var functionARN: String { invocation.functionARN }
    /// `Root=1-…;Parent=…;Sampled=0`, for X-Ray; nil when the platform sent none.
    public var traceID: String? { invocation.traceID }
    /// Set in tenant isolation mode only.
    public var tenantID: String? { invocation.tenantID }
    /// The Cognito identity of the caller; nil without one.
    public var identity: CognitoIdentity? { invocation.identity }
    /// JSON that an SDK caller sent along; nil without one.
    public var clientContext: String? { invocation.clientContext }
    /// When the service will stop the invocation.
    public var deadline: WallClock.Instant { invocation.deadline }
}

/// A caller's Cognito identity.
public struct CognitoIdentity: Sendable, Equatable {
    /// As `eu-west-1:…`, of the identity itself.
    public let identityID: String
    /// Of the pool that it belongs to.
    public let poolID: String
}

/// An event's JSON text.
public struct LambdaEvent: Sendable {
    /// UTF-8, 6 MB at most.
    public let json: [UInt8]

    /// The event as a type of yours, which names just the fields that it wants.
    ///
    /// - Throws: `DecodingError`; also where a name has more than 30 combining marks in a row: clients choose some of them.
    public func decode<Value: Decodable>(_ type: Value.Type) throws -> Value {
        if let problem = JSONNames.problem(in: json) {
            throw DecodingError.dataCorrupted(.init(codingPath: [], debugDescription: "the event \(problem)"))
        }
        return try JSONDecoder().decode(type, from: Data(json))
    }
}

extension Request {
    /// What Lambda knows of this request; nil off Lambda.
    public internal(set) var lambda: LambdaContext? {
        get { frontEnd as? LambdaContext }
        set { frontEnd = newValue }
    }
}
