internal import HTTPTypes

extension Request {
    /// Who sent the request, as a middleware above found out; nil where none has said so, or said it in another type.
    public func principal<Principal: Sendable>(_ type: Principal.Type) -> Principal? {
        fields.values[ObjectIdentifier(PrincipalKey<Principal>.self)] as? Principal
    }

    /// Who sent the request.
    ///
    /// - Throws: ``HTTPError``, a 401, where nobody is known.
    public func requirePrincipal<Principal: Sendable>(_ type: Principal.Type) throws -> Principal {
        guard let principal = principal(type) else {
            throw HTTPError(.unauthorized, detail: "no middleware above has found a principal of type \(type)")
        }
        return principal
    }

    /// Says who sent the request, for what comes below: for an authentication of your own.
    public mutating func setPrincipal<Principal: Sendable>(_ principal: Principal) {
        fields.values[ObjectIdentifier(PrincipalKey<Principal>.self)] = principal
    }
}

private enum PrincipalKey<Principal> {}

extension String {
    /// Whether both have the same octets, found out in a time that depends on their lengths alone: for comparing secrets.
    public func isEqual(inConstantTime other: String) -> Bool {
        let (one, other) = (Array(utf8), Array(other.utf8))
        var difference = one.count ^ other.count
        for index in one.indices { difference |= Int(one[index] ^ (other.isEmpty ? 0 : other[index % other.count])) }
        return difference == 0
    }
}

/// What all three kinds of authentication do.
struct Authentication: Sendable {
    let challenge: String
    let isRequired: Bool

    /// - Throws: A 401 with the challenge, where a principal is needed.
    func refuse(_ parameters: String = "") throws {
        guard isRequired || !parameters.isEmpty else { return }
        throw HTTPError(.unauthorized, headers: [.wwwAuthenticate: challenge + parameters])
    }

    /// A parameter's value in quotation marks.
    static func quoted(_ text: String) -> String {
        var quoted = "\""
        for scalar in text.unicodeScalars where scalar.value >= 0x20 && scalar.value != 0x7F {
            if scalar == "\"" || scalar == "\\" { quoted += "\\" }
            quoted.unicodeScalars.append(scalar)
        }
        return quoted + "\""
    }
}
