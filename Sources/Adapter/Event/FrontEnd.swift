/// What stands between the client and the function: it decides the event's form and the reply's.
public struct FrontEnd: Sendable, Hashable, CustomStringConvertible {
    /// In words, as `a REST API`.
    public let description: String

    /// A Lambda function URL.
    public static let functionURL = Self(description: "a Function URL")
    /// An HTTP API of API Gateway, with either payload format. It cannot stream.
    public static let httpAPI = Self(description: "an HTTP API")
    /// A REST API of API Gateway.
    public static let restAPI = Self(description: "a REST API")
    /// An Application Load Balancer. It cannot stream, and takes a megabyte at most.
    public static let loadBalancer = Self(description: "an Application Load Balancer")
    /// A service of VPC Lattice. It cannot stream.
    public static let lattice = Self(description: "VPC Lattice")
}

/// The forms of HTTP events, each with a form of its reply.
enum EventForm: UInt8, CaseIterable, Sendable {
    case functionURL, httpAPI, httpAPI1, restAPI, loadBalancer, loadBalancerMulti, lattice1, lattice2

    var frontEnd: FrontEnd {
        switch self {
        case .functionURL: .functionURL
        case .httpAPI, .httpAPI1: .httpAPI
        case .restAPI: .restAPI
        case .loadBalancer, .loadBalancerMulti: .loadBalancer
        case .lattice1, .lattice2: .lattice
        }
    }

    /// Whether it hands a response on while that is written.
    var streams: Bool { self == .functionURL || self == .restAPI }

    /// Payload format 2.0, whose fields are read and written on the short way.
    var isPayload2: Bool { self == .functionURL || self == .httpAPI }

    /// The largest reply as JSON, in bytes.
    ///
    /// - SeeAlso: Elastic Load Balancing, "Lambda functions as targets": one megabyte.
    var replyLimit: Int { frontEnd == .loadBalancer ? 1_048_576 : BufferedReply.limit }

    /// The largest prelude of a stream with the NULs behind it, in bytes; nil where no limit is known.
    ///
    /// - SeeAlso: API Gateway, "Set up a Lambda proxy integration with payload response streaming": within the first 16 KB.
    var preludeLimit: Int? { self == .restAPI ? 16_384 : nil }
}
