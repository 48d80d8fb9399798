internal import CSluiceRuntime
internal import HTTPTypes
@_spi(JSON) internal import SluiceCore

/// Names of an event's headers and its method.
enum EventNames {
    /// Nil for what is no HTTP token.
    static func header(_ text: JSONText) -> HTTPField.Name? { HTTPField.Name(text.string) }

    static func isToken(_ text: JSONText) -> Bool {
        text.bytes.baseAddress.map { sluice_is_token($0, text.bytes.count) != 0 } ?? false
    }

    /// Nil for what is no HTTP token.
    static func method(_ text: JSONText) -> HTTPRequest.Method? {
        switch text {
        case "GET": .get
        case "POST": .post
        case "HEAD": .head
        case "PUT": .put
        case "DELETE": .delete
        case "PATCH": .patch
        case "OPTIONS": .options
        default: HTTPRequest.Method(text.string)
        }
    }

    /// Headers by which Lambda Web Adapter tells an app what the platform says, and VPC Lattice who calls: from a client, they are forged.
    static func isForged(_ name: JSONText) -> Bool {
        name.isName("x-amz-tenant-id") || name.isName("x-amzn-request-context") || name.isName("x-amzn-lambda-context")
            || name.isName("x-amzn-lattice-identity")
    }

    /// See ``isForged(_:)-(JSONText)``.
    static func isForged(_ name: HTTPField.Name) -> Bool { forged.contains(name.canonicalName) }

    private static let forged: Set<String> = [
        "x-amz-tenant-id", "x-amzn-request-context", "x-amzn-lambda-context", "x-amzn-lattice-identity",
    ]
}
