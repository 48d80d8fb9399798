@_spi(JSON) internal import SluiceCore
internal import SluiceStreaming

/// This process as an internal extension: what Lambda wants of whoever would have SIGTERM, or its telemetry. Confined to its event loop.
///
/// All of it before the first `next`, which closes the registration; and a process has one, as its name is taken then. In this order:
/// ``register()``, ``subscribe(port:)`` if wanted, ``waitForEvents()``.
///
/// - SeeAlso: Lambda Extensions API 2020-01-01, <https://docs.aws.amazon.com/lambda/latest/dg/runtimes-extensions-api.html>; Lambda
///   Telemetry API 2022-07-01, <https://docs.aws.amazon.com/lambda/latest/dg/telemetry-api-reference.html>
final class ExtensionClient {
    /// Unique among a sandbox's extensions.
    static let name = "sluice"

    private let loop: EventLoop
    private let address: HostPort
    private let isManaged: Bool
    /// Used for one call after the other, the last of which is never answered.
    private var connection: RuntimeConnection?
    private var id: String?

    /// - Parameter initializationType: `AWS_LAMBDA_INITIALIZATION_TYPE`.
    init(_ loop: EventLoop, address: HostPort, initializationType: String?) {
        self.loop = loop
        self.address = address
        isManaged = initializationType == "lambda-managed-instances"
    }

    /// Registers for no events at all.
    ///
    /// - Throws: ``ExtensionError``.
    func register() async throws {
        // Nothing internal may ask for anything there, and SIGTERM comes anyway.
        guard !isManaged else { throw ExtensionError.managedInstances }
        let response = try await call(
            "register", "POST /2020-01-01/extension/register", "Lambda-Extension-Name: \(Self.name)\r\n",
            body: Array(#"{"events":[]}"#.utf8))
        guard let id = response.head["lambda-extension-identifier"], !id.isEmpty else { throw ExtensionError.noIdentifier }
        self.id = id
    }

    /// Asks for the platform's own records, as soon as there are any: Lambda POSTs them to this port of the sandbox.
    ///
    /// - Throws: ``ExtensionError``.
    func subscribe(port: UInt16) async throws {
        var json = JSONWriter()
        json.object { json in
            json.field("schemaVersion", "2022-12-13")
            json.key("types")
            json.array { $0.string("platform".utf8) }
            // The smallest that is permitted.
            json.key("buffering")
            json.object { json in
                json.field("maxItems", 1000)
                json.field("maxBytes", 262_144)
                json.field("timeoutMs", 25)
            }
            json.key("destination")
            json.object { json in
                json.field("protocol", "HTTP")
                json.field("URI", "http://sandbox.localdomain:\(port)/")
            }
        }
        _ = try await call("telemetry", "PUT /2022-07-01/telemetry", try identifierLine(), body: json.bytes)
    }

    /// Asks for the next event and does not wait for it: start-up is not complete before each extension has asked, and one that wants no
    /// events gets none. The connection stays open as long as this lives.
    ///
    /// - Throws: ``ExtensionError``.
    func waitForEvents() async throws {
        let name = "event/next"
        let head = "GET /2020-01-01/extension/event/next HTTP/1.1\r\n\(commonLines)\(try identifierLine())\r\n"
        do {
            // A connection that was just used may be about to close; this one must not.
            let fresh = try RuntimeConnection(loop, to: address)
            try await fresh.send([Array(head.utf8)[...]])
            connection = fresh
        } catch {
            throw ExtensionError.unreachable(call: name, reason: "\(error)")
        }
    }

    // MARK: Calls

    private var commonLines: String { "Host: \(address)\r\nUser-Agent: \(RuntimeClient.userAgent)\r\n" }

    private func identifierLine() throws -> String {
        guard let id else { throw ExtensionError.noIdentifier }
        return "Lambda-Extension-Identifier: \(id)\r\n"
    }

    private func call(
        _ name: String, _ line: String, _ own: String, body: [UInt8]
    ) async throws -> RuntimeConnection.APIResponse {
        let head = """
            \(line) HTTP/1.1\r
            \(commonLines)\(own)Content-Type: application/json\r
            Content-Length: \(body.count)\r
            \r

            """
        let response: RuntimeConnection.APIResponse
        do {
            let used = try connection ?? RuntimeConnection(loop, to: address)
            connection = nil
            response = try await used.exchange(.init(pieces: [(Array(head.utf8) + body)[...]]), cancellable: true)
            if response.head.keepsAlive, used.isClean { connection = used }
        } catch let error as CancellationError {
            throw error
        } catch {
            throw ExtensionError.unreachable(call: name, reason: "\(error)")
        }
        // 202 is an emulator's: it has no such API.
        guard response.status == 200 else { throw ExtensionError(call: name, refusedBy: response) }
        return response
    }
}

/// The platform has not this process among its extensions, or not as it should.
enum ExtensionError: Error, Equatable, CustomStringConvertible {
    /// There are no internal extensions.
    case managedInstances
    /// No connection, or it broke.
    case unreachable(call: String, reason: String)
    /// What the platform has against it: its own type of error, empty where it gave none, and its words.
    case refused(call: String, Int, type: String, message: String)
    /// A registration without `Lambda-Extension-Identifier`, or none.
    case noIdentifier

    init(call: String, refusedBy response: RuntimeConnection.APIResponse) {
        var (type, message) = ("", "")
        do throws(JSONError) {
            try JSONReader.read(response.body) { (json) throws(JSONError) in
                try json.object { (json, key) throws(JSONError) in
                    switch key {
                    case "errorType": type = try json.string()
                    case "errorMessage": message = try json.string()
                    default: try json.skip()
                    }
                }
            }
        } catch {
            message = response.text
        }
        self = .refused(call: call, response.status, type: type, message: message)
    }

    var description: String {
        switch self {
        case .managedInstances: "managed instances have no internal extensions"
        case .unreachable(let call, let reason): "the Extensions API is gone (\(call)): \(reason)"
        case .refused(let call, let status, let type, let message):
            "the Extensions API answered \(call) with \(status)\(type.isEmpty ? "" : " \(type)"): \(message)"
        case .noIdentifier: "the Extensions API gave no Lambda-Extension-Identifier"
        }
    }
}
