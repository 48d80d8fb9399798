/// `SLUICE_LOCAL_FRONT`: what stands in front of the function.
package enum FrontEndKind: String, Sendable, CaseIterable {
    case functionURL = "url"
    /// An HTTP API of API Gateway, payload format version 2.0.
    case httpAPI = "http"
    /// A REST API of API Gateway with a Lambda proxy integration.
    case restAPI = "rest"
    case loadBalancer = "alb"
    /// The target group has `lambda.multi_value_headers.enabled`.
    case loadBalancerMulti = "alb-multi"
    /// Event structure version 2.
    case lattice
    /// Event structure version 1.
    case latticeV1 = "lattice1"

    /// For the console's first line.
    var title: String {
        switch self {
        case .functionURL: "URL"
        case .httpAPI: "HTTP API"
        case .restAPI: "REST API"
        case .loadBalancer: "load balancer"
        case .loadBalancerMulti: "load balancer with multi-value headers"
        case .lattice: "VPC Lattice"
        case .latticeV1: "VPC Lattice, event version 1"
        }
    }

    var gateway: any Gateway {
        switch self {
        case .functionURL: FunctionURL()
        case .httpAPI: HTTPAPI()
        case .restAPI: RestAPI()
        case .loadBalancer: LoadBalancer(isMultiValue: false)
        case .loadBalancerMulti: LoadBalancer(isMultiValue: true)
        case .lattice: Lattice(version: .v2)
        case .latticeV1: Lattice(version: .v1)
        }
    }
}
