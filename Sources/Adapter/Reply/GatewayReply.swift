internal import HTTPTypes
internal import SluiceCore
internal import SluiceMiddleware

/// Status and headers as front ends other than those of payload 2.0 read them.
struct GatewayHead {
    private let status: HTTPResponse.Status
    private let form: EventForm
    private let head: WireHead

    init(_ response: Response, _ form: EventForm) {
        status = response.status
        head = WireHead(response, joinsRepeats: form != .loadBalancerMulti && form != .httpAPI1 && form != .restAPI)
        self.form = form
    }

    var contentType: String? { head.contentType }
    var isIdentity: Bool { head.isIdentity }

    /// The fields of a whole reply before its body.
    func write(to json: inout JSONWriter) {
        json.field("statusCode", head.status)
        switch form {
        case .functionURL, .httpAPI, .httpAPI1, .restAPI: writeMulti(to: &json)
        case .loadBalancerMulti:
            json.field("statusDescription", statusLine)
            writeMulti(to: &json)
        case .loadBalancer, .lattice1:
            json.field("statusDescription", statusLine)
            // One value for each name, and cookies cannot be joined: the last one, as the one that was set last.
            writeSingle(to: &json) { json in if let cookie = head.cookies.last { json.field("set-cookie", cookie) } }
        case .lattice2:
            writeSingle(to: &json) { json in
                if head.cookies.isEmpty { return }
                json.key("set-cookie")
                json.array { json in for cookie in head.cookies { json.string(cookie.utf8) } }
            }
        }
    }

    /// What a REST API's stream begins with: it reads both maps.
    ///
    /// - Parameter extra: A header more.
    func writePrelude(to json: inout JSONWriter, extra: (name: String, value: String)?) {
        json.field("statusCode", head.status)
        json.key("headers")
        json.object { json in if let extra { json.field(extra.name, extra.value) } }
        writeMulti(to: &json)
    }

    private func writeSingle(to json: inout JSONWriter, _ cookies: (inout JSONWriter) -> Void) {
        json.key("headers")
        json.object { json in
            for (name, value) in head.headers { json.field(name, value) }
            cookies(&json)
        }
    }

    private func writeMulti(to json: inout JSONWriter) {
        var names: [String] = []
        var values: [String: [String]] = [:]
        for (name, value) in head.headers + head.cookies.map({ (name: "set-cookie", value: $0) }) {
            if values[name] == nil { names.append(name) }
            values[name, default: []].append(value)
        }
        json.key("multiValueHeaders")
        json.object { json in
            for name in names {
                json.key(name)
                json.array { json in for value in values[name] ?? [] { json.string(value.utf8) } }
            }
        }
    }

    /// As `200 OK`.
    private var statusLine: String {
        status.reasonPhrase.isEmpty ? "\(status.code) Status" : "\(status.code) \(status.reasonPhrase)"
    }
}
