@_spi(JSON) internal import SluiceCore

extension CallerIdentity {
    /// Reads an event's `requestContext`; nil where it tells of nobody. What is of another form than documented is left out.
    ///
    /// - Parameter form: The event's: it decides where an identity can be, and what a client could have written itself.
    static func read(_ event: [UInt8], _ form: EventForm?) -> CallerIdentity? {
        var identity = CallerIdentity()
        // What cannot be read ends it: the event has been checked by who took it for a request.
        try? JSONReader.read(event) { (reader) throws(JSONError) in
            try reader.fields { (reader, key) throws(JSONError) in
                switch key {
                case "requestContext":
                    try reader.fields { (reader, key) throws(JSONError) in try identity.read(context: key, event, &reader) }
                case "headers" where form == .lattice1:
                    // It has no context: the identity is a header. Behind all others that header is the client's own word.
                    try reader.fields { (reader, key) throws(JSONError) in
                        guard key.isName("x-amzn-lattice-identity"), try reader.peek() == .string else {
                            return try reader.skip()
                        }
                        identity.read(lattice: try reader.string())
                    }
                default: try reader.skip()
                }
            }
        }
        return identity.isEmpty ? nil : identity
    }

    private mutating func read(context key: JSONText, _ event: [UInt8], _ reader: inout JSONReader) throws(JSONError) {
        switch key {
        case "authorizer":
            let start = reader.offset
            var isOfLambda = true
            try reader.fields { (reader, key) throws(JSONError) in
                // An authorizer of a REST API chooses the names of its own context, whose values are strings mostly.
                let isObject = try reader.peek() == .object
                switch key {
                case "iam" where isObject:
                    isOfLambda = false
                    read(iam: try reader.values(of: event))
                case "jwt" where isObject:
                    isOfLambda = false
                    try reader.fields { (reader, key) throws(JSONError) in try read(token: key, event, &reader) }
                case "lambda" where isObject:
                    isOfLambda = false
                    authorizer = try reader.values(of: event)
                case "claims" where isObject:
                    // A user pool of a REST API.
                    isOfLambda = false
                    try read(token: key, event, &reader)
                default: try reader.skip()
                }
            }
            guard isOfLambda else { return }
            // A REST API's: its context, with nothing around it.
            reader.offset = start
            if let values = try reader.values(of: event), !values.names.isEmpty { authorizer = values }
        case "authentication":
            try reader.fields { (reader, key) throws(JSONError) in
                if key == "clientCert" { try read(certificate: event, &reader) } else { try reader.skip() }
            }
        case "identity":
            let start = reader.offset
            read(identity: try reader.values(of: event))
            reader.offset = start
            try reader.fields { (reader, key) throws(JSONError) in
                if key == "clientCert" { try read(certificate: event, &reader) } else { try reader.skip() }
            }
        default: try reader.skip()
        }
    }

    private mutating func read(token key: JSONText, _ event: [UInt8], _ reader: inout JSONReader) throws(JSONError) {
        switch key {
        case "claims": claims = try reader.values(of: event)
        case "scopes" where try reader.peek() == .array:
            var scopes: [String] = []
            try reader.array { (reader) throws(JSONError) in
                if try reader.peek() == .string { scopes.append(try reader.string()) } else { try reader.skip() }
            }
            self.scopes = scopes
        default: try reader.skip()
        }
    }

    private mutating func read(iam values: IdentityValues?) {
        guard let values, !values.names.isEmpty else { return }
        iam = IAMIdentity(
            accessKey: values["accessKey"], accountID: values["accountId"], callerID: values["callerId"],
            userID: values["userId"], userARN: values["userArn"], organizationID: values["principalOrgId"])
        if let cognito = values["cognitoIdentity"], let inner = IdentityValues(json: Array(cognito.utf8)) {
            iam?.cognitoIdentityID = inner["identityId"]
            iam?.cognitoIdentityPoolID = inner["identityPoolId"]
        }
    }

    /// A REST API's `identity`, or Lattice's.
    private mutating func read(identity values: IdentityValues?) {
        guard let values else { return }
        if values["sourceVpcArn"] != nil || values["principal"] != nil || values["type"] != nil {
            read(lattice: { name in values.value(ignoringCase: name) })
        }
        let known = ["accessKey", "caller", "user", "userArn", "cognitoIdentityId"]
        guard known.contains(where: { values[$0] != nil }) else { return }
        iam = IAMIdentity(
            accessKey: values["accessKey"], accountID: values["accountId"], callerID: values["caller"],
            userID: values["user"], userARN: values["userArn"], organizationID: values["principalOrgId"],
            cognitoIdentityID: values["cognitoIdentityId"], cognitoIdentityPoolID: values["cognitoIdentityPoolId"])
    }

    private mutating func read(certificate event: [UInt8], _ reader: inout JSONReader) throws(JSONError) {
        guard let values = try reader.values(of: event), !values.names.isEmpty else { return }
        let validity = values["validity"].flatMap { IdentityValues(json: Array($0.utf8)) }
        certificate = ClientCertificate(
            pem: values["clientCertPem"], subjectDN: values["subjectDN"], issuerDN: values["issuerDN"],
            serialNumber: values["serialNumber"], notBefore: validity?["notBefore"], notAfter: validity?["notAfter"])
    }

    // MARK: Lattice

    /// As `Principal=…;PrincipalOrgID=…;Type=AWS_IAM`.
    private mutating func read(lattice header: String) {
        let pairs = header.split(at: ";").compactMap { $0.trimmed.cut(at: "=") }
        read(lattice: { name in pairs.first { $0.before.isSame(ignoringCase: name) }.map { String($0.after) } })
    }

    /// AWS's own tools do not agree on the case of these names.
    private mutating func read(lattice value: (String) -> String?) {
        lattice = LatticePrincipal(
            type: value("type"), principal: value("principal"), organizationID: value("principalOrgID"),
            sessionName: value("sessionName"), sourceVPCARN: value("sourceVpcArn"), x509SubjectCN: value("x509SubjectCn"),
            x509IssuerOU: value("x509IssuerOu"), x509SANDNS: value("x509SanDns"), x509SANURI: value("x509SanUri"),
            x509SANNameCN: value("x509SanNameCn"))
    }
}

extension IdentityValues {
    /// Nil where the text is no JSON object.
    init?(json: [UInt8]) {
        let values = try? JSONReader.read(json) { (reader) throws(JSONError) in try reader.values(of: json) }
        guard let values else { return nil }
        self = values
    }

    func value(ignoringCase name: String) -> String? {
        names.last { $0.isSame(ignoringCase: name) }.flatMap { self[$0] }
    }
}

extension JSONReader {
    /// As `object`, past a value that is none.
    fileprivate mutating func fields(
        _ field: (inout JSONReader, JSONText) throws(JSONError) -> Void
    ) throws(JSONError) {
        guard try peek() == .object else { return try skip() }
        try object(field)
    }

    /// An object's fields as text, nulls left out; nil, past it, where it is no object.
    fileprivate mutating func values(of text: [UInt8]) throws(JSONError) -> IdentityValues? {
        guard try peek() == .object else {
            try skip()
            return nil
        }
        let start = offset
        var values: [(name: String, value: String)] = []
        try object { (reader, key) throws(JSONError) in
            if try reader.null() { return }
            if try reader.peek() == .string { return values.append((key.string, try reader.string())) }
            let place = reader.offset
            try reader.skip()
            values.append((key.string, String(decoding: text[place..<reader.offset], as: UTF8.self)))
        }
        return IdentityValues(values, json: Array(text[start..<offset]))
    }
}
