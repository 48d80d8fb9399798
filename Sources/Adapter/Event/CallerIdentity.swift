public import FoundationEssentials
internal import SluiceMiddleware
public import SluiceCore

/// Who the front end says is calling: it has checked that itself. Each part is nil where the front end did not ask for it.
public struct CallerIdentity: Sendable {
    /// A signed call of an IAM user or role (Signature Version 4).
    public internal(set) var iam: IAMIdentity?
    /// The claims of a JSON Web Token, of a JWT authorizer or a Cognito user pool: as `claims["sub"]`.
    public internal(set) var claims: IdentityValues?
    /// The scopes that the route asks for and the token has; empty where there are none.
    public internal(set) var scopes: [String] = []
    /// What a Lambda authorizer has put into its context; a REST API has `principalId` among them.
    public internal(set) var authorizer: IdentityValues?
    /// The client's certificate, where the domain asks for one (mutual TLS).
    public internal(set) var certificate: ClientCertificate?
    /// A caller of a VPC Lattice service.
    public internal(set) var lattice: LatticePrincipal?

    var isEmpty: Bool {
        iam == nil && claims == nil && authorizer == nil && certificate == nil && lattice == nil && scopes.isEmpty
    }
}

/// An IAM user or role.
public struct IAMIdentity: Sendable, Equatable {
    /// The access key that signed the call.
    public internal(set) var accessKey: String?
    /// Twelve digits.
    public internal(set) var accountID: String?
    /// The id of the caller, with the session behind it.
    public internal(set) var callerID: String?
    /// The id of the user, or of the role with the session behind it.
    public internal(set) var userID: String?
    /// As `arn:aws:sts::123456789012:assumed-role/name/session`.
    public internal(set) var userARN: String?
    /// The organization of the caller's account, as `o-…`.
    public internal(set) var organizationID: String?
    /// The Cognito identity that the credentials are of.
    public internal(set) var cognitoIdentityID: String?
    /// The pool of that identity.
    public internal(set) var cognitoIdentityPoolID: String?
}

/// A client's certificate, as API Gateway has checked it.
public struct ClientCertificate: Sendable, Equatable {
    /// The certificate, PEM.
    public internal(set) var pem: String?
    /// The subject's distinguished name.
    public internal(set) var subjectDN: String?
    /// The issuer's distinguished name.
    public internal(set) var issuerDN: String?
    /// Hexadecimal octets between colons.
    public internal(set) var serialNumber: String?
    /// From when it is valid, as `Jan  1 00:00:00 2026 GMT`.
    public internal(set) var notBefore: String?
    /// Until when it is valid.
    public internal(set) var notAfter: String?
}

/// A caller of a VPC Lattice service.
public struct LatticePrincipal: Sendable, Equatable {
    /// As `AWS_IAM`; nil or `NONE` without authentication.
    public internal(set) var type: String?
    /// The ARN of the user or role.
    public internal(set) var principal: String?
    /// The organization of the caller's account.
    public internal(set) var organizationID: String?
    /// Of an assumed role.
    public internal(set) var sessionName: String?
    /// The VPC that the call came from.
    public internal(set) var sourceVPCARN: String?
    /// Of the client's certificate, with IAM Roles Anywhere.
    public internal(set) var x509SubjectCN: String?
    /// Of the certificate's issuer.
    public internal(set) var x509IssuerOU: String?
    /// The alternative name that is a name of DNS.
    public internal(set) var x509SANDNS: String?
    /// The alternative name that is a URI.
    public internal(set) var x509SANURI: String?
    /// The common name of the alternative name that is a directory's.
    public internal(set) var x509SANNameCN: String?
}

/// Names and values of an identity: claims, or a Lambda authorizer's context.
public struct IdentityValues: Sendable {
    private let values: [(name: String, value: String)]
    @usableFromInline let json: [UInt8]

    init(_ values: [(name: String, value: String)], json: [UInt8]) { (self.values, self.json) = (values, json) }

    /// In the order of the event.
    public var names: [String] { values.map(\.name) }

    /// A value as text: strings as they are, numbers, truth values, lists and objects as their JSON; nil where there is none, or a null.
    public subscript(name: String) -> String? { values.last { $0.name.isSame(as: name) }?.value }

    /// The whole as a type of yours, which names just the fields that it wants.
    ///
    /// - Throws: `DecodingError`; also where a name has more than 30 combining marks in a row.
    @_alwaysEmitIntoClient
    public func decode<Value: Decodable>(_ type: Value.Type) throws -> Value {
        try JSONNames.check(json, of: "the identity")
        return try JSONDecoder().decode(type, from: Data(json))
    }
}
