import Foundation
import Testing

@testable import Sluice
@testable import SluiceCore

/// Case 44: who calls, of each kind of authorizer.
@Suite struct CallerIdentityTests {
    private func identity(_ file: String) throws -> CallerIdentity? {
        let context = LambdaContext(event: try Fixture.text(file))
        return context.identity
    }

    @Test("nobody, where the front end asks nobody", arguments: ["function-url", "http-api", "http-api-v1", "rest", "alb"])
    func nobody(_ file: String) throws {
        let identity = try identity(file)
        #expect(identity == nil, "\(String(describing: identity))")
    }

    @Test("case 44: IAM", arguments: ["function-url-iam", "http-api-iam", "rest-iam"])
    func iam(_ file: String) throws {
        let event = try #require(try JSONSerialization.jsonObject(with: Data(Fixture.text(file).utf8)) as? [String: Any])
        let context = try #require(event["requestContext"] as? [String: Any])
        let authorizer = context["authorizer"] as? [String: Any]
        let given = try #require((authorizer?["iam"] ?? context["identity"]) as? [String: Any])
        let iam = try #require(try identity(file)?.iam)
        #expect(iam.userARN == given["userArn"] as? String)
        #expect(iam.userARN != nil)
        #expect(iam.accountID == given["accountId"] as? String)
        #expect(iam.accessKey == given["accessKey"] as? String)
        #expect(iam.callerID == (given["callerId"] ?? given["caller"]) as? String)
        #expect(iam.userID == (given["userId"] ?? given["user"]) as? String)
        #expect(iam.organizationID == given["principalOrgId"] as? String)
    }

    @Test("case 44: a token's claims and scopes")
    func token() throws {
        let identity = try #require(try identity("http-api-jwt"))
        #expect(identity.claims?["sub"] == "user-17")
        #expect(identity.claims?["groups"] == "[staff admin]")
        #expect(identity.claims?["nothing"] == nil)
        #expect(identity.scopes == ["orders/read", "orders/write"])
        #expect(identity.authorizer == nil)
        struct Claims: Decodable { let email: String }
        #expect(try identity.claims?.decode(Claims.self).email == "anna@example.com")
    }

    @Test("case 44: a user pool's claims")
    func userPool() throws {
        let identity = try #require(try identity("rest-cognito"))
        #expect(identity.claims?["cognito:username"] == "anna")
        #expect(identity.authorizer == nil)
    }

    @Test("case 44: a Lambda authorizer's context, typed as it came")
    func lambda() throws {
        let context = try #require(try identity("http-api-lambda")?.authorizer)
        #expect(context["userId"] == "user-17")
        #expect(context["limit"] == "42")
        #expect(context["admin"] == "true")
        #expect(context["referrer"] == nil)
        #expect(context["roles"].map { $0.filter { !$0.isWhitespace } } == #"["reader","writer"]"#)
        struct Context: Decodable, Equatable {
            struct Tenant: Decodable, Equatable { let name: String }
            let limit: Int
            let admin: Bool
            let tenant: Tenant
        }
        #expect(try context.decode(Context.self) == Context(limit: 42, admin: true, tenant: .init(name: "Café")))
        let rest = try #require(try identity("rest-lambda")?.authorizer)
        #expect(rest["principalId"] != nil)
        #expect(rest.names.count > 1)
    }

    @Test(
        "a Lambda authorizer of a REST API may use any name in its context",
        arguments: ["claims", "scopes", "iam", "jwt", "lambda"])
    func anyName(_ name: String) throws {
        let json = try Fixture.text("rest", ["requestContext.authorizer": ["principalId": "u1", name: "text"]])
        let identity = try #require(LambdaContext(event: json).identity)
        #expect(identity.authorizer?["principalId"] == "u1")
        #expect(identity.authorizer?[name] == "text")
        #expect(identity.claims == nil && identity.iam == nil)
    }

    @Test("a client's certificate", arguments: ["http-api-mtls", "rest-mtls"])
    func certificate(_ file: String) throws {
        let certificate = try #require(try identity(file)?.certificate)
        #expect(certificate.subjectDN?.contains("orders.example.com") == true)
        #expect(certificate.issuerDN?.contains("Example Tea Test CA") == true)
        #expect(certificate.pem?.hasPrefix("-----BEGIN CERTIFICATE-----") == true)
        #expect(certificate.serialNumber?.hasPrefix("a1:b2") == true)
        #expect(certificate.notBefore?.isEmpty == false)
        #expect(certificate.notAfter?.isEmpty == false)
    }

    @Test("a principal of VPC Lattice, in both versions and whatever the case of its names")
    func lattice() throws {
        for file in ["lattice-v1", "lattice-v2"] {
            let principal = try #require(try identity(file)?.lattice)
            #expect(principal.principal == "arn:aws:sts::123456789012:assumed-role/tea-clients/tea-session")
            #expect(principal.type == "AWS_IAM")
            #expect(principal.organizationID == "o-a1b2c3d4e5")
        }
        let certificate = try #require(try identity("lattice-v2-x509")?.lattice)
        #expect(certificate.x509SubjectCN == "orders.example.com")
        #expect(certificate.x509SANURI == "spiffe://example.com/orders")
        let other = try Fixture.text("lattice-v2-x509", ["requestContext.identity": ["X509SubjectCn": "a", "type": "x"]])
        #expect(LambdaContext(event: other).identity?.lattice?.x509SubjectCN == "a")
    }

    @Test(
        "a client that claims to be a principal of VPC Lattice is nobody behind any other front end",
        arguments: ["function-url", "http-api", "http-api-v1", "rest", "alb", "alb-multi", "lattice-v2"])
    func forged(_ file: String) throws {
        let claim: [String: Any] = ["x-amzn-lattice-identity": "Principal=arn:aws:iam::123456789012:role/admin;Type=AWS_IAM"]
        let before = try identity(file)?.lattice
        let forged = LambdaContext(event: try Fixture.text(file, ["headers": claim])).identity
        #expect(forged?.lattice == before)
        #expect(before?.principal?.contains("admin") != true)
    }

    @Test("names with marks without end are found by their octets, and never decoded")
    func hostile() throws {
        let name = "a" + String(repeating: "\u{301}\u{316}", count: 2000)
        let json = try Fixture.text("http-api-jwt", ["requestContext.authorizer.jwt.claims": [name: "x", "sub": "me"]])
        let claims = try #require(LambdaContext(event: json).identity?.claims)
        #expect(claims["sub"] == "me")
        #expect(claims[name] == "x")
        #expect(throws: DecodingError.self) { try claims.decode([String: String].self) }
    }

    @Test("the front end is known of a request, and of a context of a test's own")
    func frontEnd() throws {
        #expect(LambdaContext(event: try Fixture.text("alb")).frontEnd == .loadBalancer)
        #expect(LambdaContext(event: try Fixture.text("rest")).frontEnd == .restAPI)
        #expect(LambdaContext(event: try Fixture.text("http-api-v1")).frontEnd == .httpAPI)
        #expect(LambdaContext(event: try Fixture.text("sqs")).frontEnd == nil)
        let request = try Request(LambdaContext(event: try Fixture.text("lattice-v2")))
        #expect(request.lambda?.frontEnd == .lattice)
        #expect(request.lambda?.identity?.lattice != nil)
    }
}
