internal import SluiceCore

/// One report as a log record.
///
/// - SeeAlso: OpenTelemetry, "Logs Data Model"; semantic conventions for exceptions in logs, HTTP, FaaS and users.
struct OTLPRecord: Sendable {
    private let event: ReportEvent
    private let attributes: [String: ReportValue]
    /// What the invocation says of the function, for the resource.
    private let function: [String: ReportValue]

    init(_ event: ReportEvent) {
        self.event = event
        attributes = Self.attributes(event)
        let lambda = event.contexts["aws.lambda"] ?? [:]
        var function: [String: ReportValue] = [:]
        function["cloud.resource_id"] = lambda["invoked_function_arn"]
        function["cloud.account.id"] = event.contexts["cloud_resource"]?["cloud.account.id"]
        self.function = function
    }

    /// The body of an `ExportLogsServiceRequest`.
    func request(_ resource: [String: ReportValue]) -> [UInt8] {
        var json = JSONWriter(reserving: 4096)
        json.object { json in
            json.list("resourceLogs") { json in
                json.key("resource")
                json.object { $0.attributes(resource.merging(function) { own, _ in own }) }
                json.list("scopeLogs") { json in
                    json.key("scope")
                    json.object { json in
                        json.field("name", "sluice")
                        json.field("version", Version.current)
                    }
                    json.list("logRecords", write)
                }
            }
        }
        return json.bytes
    }

    private func write(to json: inout JSONWriter) {
        // Whole numbers of 64 bits are text in Protobuf's JSON, ids are hexadecimal in OTLP's.
        let time = "\(event.timestamp.millisecondsSinceEpoch)000000"
        json.field("timeUnixNano", time)
        json.field("observedTimeUnixNano", time)
        let (number, text) = Self.severity(event.level)
        json.field("severityNumber", number)
        json.field("severityText", text)
        json.key("body")
        ReportValue.string(Self.message(event)).writeOTLP(to: &json)
        json.attributes(attributes)
        if let trace = event.trace {
            json.field("traceId", trace.traceID)
            json.field("spanId", trace.spanID)
            if trace.isSampled == true { json.field("flags", 1) }
        }
        if !event.exceptions.isEmpty { json.field("eventName", "exception") }
    }

    private static func message(_ event: ReportEvent) -> String { event.message ?? event.exceptions.last?.value ?? "" }

    private static func severity(_ level: ReportLevel) -> (Int, String) {
        switch level {
        case .debug: (5, "DEBUG")
        case .warning: (13, "WARN")
        case .error: (17, "ERROR")
        case .fatal: (21, "FATAL")
        default: (9, "INFO")
        }
    }

    // MARK: Attributes

    private static func attributes(_ event: ReportEvent) -> [String: ReportValue] {
        var all: [String: ReportValue] = [:]
        for (name, values) in event.contexts where !ofResource.contains(name) {
            for (key, value) in values { all["\(name).\(key)"] = value }
        }
        for (name, value) in event.tags { all[name] = .string(value) }
        all.merge(of(event.user)) { _, own in own }
        all.merge(of(event.request)) { _, own in own }
        all["http.response.status_code"] = event.contexts["response"]?["status_code"]
        let source = event.tags[Failure.sourceTag]
        if source == nil, let route = event.transaction?.cut(at: " ")?.after { all["http.route"] = .string(String(route)) }
        if let lambda = event.contexts["aws.lambda"] {
            all["faas.invocation_id"] = lambda["aws_request_id"]
            all["faas.coldstart"] = lambda["cold_start"]
            all["faas.trigger"] = .string(source.map(trigger) ?? "http")
            all["aws.lambda.invoked_arn"] = lambda["invoked_function_arn"]
            for name in ["execution_duration_in_millis", "remaining_time_in_millis", "xray_trace_id", "tenant_id"] {
                all["aws.lambda.\(name)"] = lambda[name]
            }
        }
        if let last = event.exceptions.last {
            all["exception.type"] = .string(last.module.map { "\($0).\(last.type)" } ?? last.type)
            all["exception.message"] = .string(last.value)
            all["exception.stacktrace"] = .string(stack(event.exceptions))
        }
        if !event.breadcrumbs.isEmpty { all["breadcrumbs"] = .array(event.breadcrumbs.map(of)) }
        all["log.record.uid"] = .string(event.id)
        return all
    }

    /// What kind of source an event comes from, in the words of the conventions for FaaS.
    private static func trigger(_ source: String) -> String {
        switch source {
        case "aws:sqs", "aws:sns", "aws:kinesis": "pubsub"
        case "aws:s3", "aws:dynamodb": "datasource"
        case "schedule": "timer"
        default: "other"
        }
    }

    /// Contexts that a resource has in the words of the conventions, or that stand among the attributes under their own names.
    private static let ofResource: Set<String> = [
        "runtime", "os", "device", "app", "cloud_resource", "aws.lambda", "aws.cloudwatch.logs", "response",
    ]

    private static func of(_ user: ReportUser?) -> [String: ReportValue] {
        guard let user else { return [:] }
        let values = [
            "user.id": user.id, "user.name": user.username, "user.email": user.email, "client.address": user.ipAddress,
        ]
        return values.compactMapValues { $0.map { .string($0) } }
    }

    private static func of(_ request: ReportRequest?) -> [String: ReportValue] {
        guard let request else { return [:] }
        var all: [String: ReportValue] = ["http.request.method": .string(request.method), "url.full": .string(request.url)]
        if let scheme = request.url.place(of: "://") {
            all["url.scheme"] = .string(String(request.url[..<scheme.lowerBound]))
            let rest = request.url[scheme.upperBound...]
            if let path = rest.cut(at: "/")?.after { all["url.path"] = .string("/" + path) }
            all["server.address"] = .string(String(rest.prefix(before: "/:")))
        } else {
            all["url.path"] = .string(request.url)
        }
        if !request.query.isEmpty {
            all["url.query"] = .string(request.query.map { "\($0.name)=\($0.value)" }.joined(separator: "&"))
        }
        var headers: [String: [ReportValue]] = [:]
        for header in request.headers { headers[header.name.lowercased(), default: []].append(.string(header.value)) }
        for (name, values) in headers { all["http.request.header.\(name)"] = .array(values) }
        all["user_agent.original"] = headers["user-agent"]?.first
        all["http.request.header.user-agent"] = nil
        if let address = request.remoteAddress { all["client.address"] = .string(address) }
        return all
    }

    private static func of(_ breadcrumb: Breadcrumb) -> ReportValue {
        var values: [String: ReportValue] = [
            "timestamp": .string(Timestamp.text(breadcrumb.timestamp)), "level": .string(breadcrumb.level.rawValue),
        ]
        values["message"] = breadcrumb.message.map { .string(Trim.text($0, to: Trim.breadcrumb)) }
        values["category"] = breadcrumb.category.map { .string($0) }
        values["type"] = breadcrumb.type.map { .string($0) }
        if !breadcrumb.data.isEmpty { values["data"] = .object(breadcrumb.data) }
        return .object(values)
    }

    /// The error and its calls, the innermost first, then what it was caused by: a line each.
    private static func stack(_ exceptions: [ReportException]) -> String {
        exceptions.reversed().enumerated().map { index, exception in
            let head = (index == 0 ? "" : "caused by ") + "\(exception.type): \(exception.value)"
            return ([head] + exception.frames.reversed().prefix(100).map { "    at \(place($0))" }).joined(separator: "\n")
        }.joined(separator: "\n")
    }

    private static func place(_ frame: StackFrame) -> String {
        guard let function = frame.function else {
            let image = frame.package?.split(at: "/").last ?? "?"
            let offset = frame.imageAddress.map { frame.instructionAddress &- $0 } ?? frame.instructionAddress
            return "\(image) + 0x\(String(offset, radix: 16))"
        }
        guard let file = frame.file else { return function }
        return "\(function) (\(file.split(at: "/").last ?? "?"):\(frame.line ?? 0))"
    }
}

extension JSONWriter {
    /// `"name":[{…}]`.
    fileprivate mutating func list(_ name: String, _ only: (inout JSONWriter) -> Void) {
        key(name)
        array { $0.object(only) }
    }

    /// `"attributes":[{"key":…,"value":…}]`, in the order of the names.
    fileprivate mutating func attributes(_ values: [String: ReportValue]) {
        key("attributes")
        array { json in
            for (name, value) in values.inOrder where value != .null && value != .string("") && !name.isEmpty {
                json.object { json in
                    json.field("key", name)
                    json.key("value")
                    value.writeOTLP(to: &json)
                }
            }
        }
    }
}

extension ReportValue {
    /// An `AnyValue`.
    fileprivate func writeOTLP(to json: inout JSONWriter, depth: Int = depthLimit) {
        json.object { json in
            switch self {
            case .null: break
            case .bool(let value): json.field("boolValue", value)
            case .integer(let value): json.field("intValue", String(value))
            case .double(let value) where value.isFinite:
                json.key("doubleValue")
                json.number(value)
            case .double(let value): json.field("stringValue", String(value))
            case .string(let text): json.field("stringValue", Trim.text(text, to: Trim.value))
            case .array, .object: writeNested(to: &json, depth: depth)
            }
        }
    }

    private func writeNested(to json: inout JSONWriter, depth: Int) {
        guard depth > 0 else { return json.field("stringValue", "…") }
        switch self {
        case .array(let values):
            json.key("arrayValue")
            json.object { json in
                json.key("values")
                json.array { json in
                    for value in values.prefix(Self.breadthLimit) { value.writeOTLP(to: &json, depth: depth - 1) }
                }
            }
        case .object(let values):
            json.key("kvlistValue")
            json.object { json in
                json.key("values")
                json.array { json in
                    for (name, value) in values.inOrder.prefix(Self.breadthLimit) {
                        json.object { json in
                            json.field("key", name)
                            json.key("value")
                            value.writeOTLP(to: &json, depth: depth - 1)
                        }
                    }
                }
            }
        default: break
        }
    }
}
