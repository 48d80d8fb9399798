@_spi(JSON) internal import SluiceCore

/// What an event that is no HTTP request is instead, and what to do about it. Asked when one cannot be used.
enum EventKind {
    /// What it is in words, as `an SQS event (…)`; nil where nobody knows.
    static func describe(_ event: [UInt8]) -> String? {
        var marks = Marks()
        do throws(JSONError) {
            try JSONReader.read(event) { (reader) throws(JSONError) in
                guard try reader.peek() == .object else { return }
                try reader.object { (reader, key) throws(JSONError) in try marks.read(key, &reader) }
            }
        } catch {
            // What was found until then counts.
        }
        return marks.kind
    }

    private static let webSocket = "use a Function URL, or an HTTP or REST API"
    private static let notHTTP = "remove its trigger: this function serves HTTP"

    private struct Marks {
        private var names: Set<String> = []
        private var context: Set<String> = []
        private var source: String?

        /// The fields that tell one kind from another; all others are skipped.
        mutating func read(_ key: JSONText, _ reader: inout JSONReader) throws(JSONError) {
            let kind = try reader.peek()
            switch key {
            case "requestContext" where kind == .object:
                try reader.object { (reader, key) throws(JSONError) in
                    if key == "connectionId" {
                        context.insert(key.string)
                    }
                    try reader.skip()
                }
            case "Records" where kind == .array:
                try reader.array { (reader) throws(JSONError) in
                    guard source == nil, try reader.peek() == .object else { return try reader.skip() }
                    try reader.object { (reader, key) throws(JSONError) in
                        let isSource = key == "eventSource" || key == "EventSource"
                        guard isSource, try reader.peek() == .string else { return try reader.skip() }
                        source = try reader.string()
                    }
                }
            default:
                for name in Self.telling where key == name { names.insert("\(name)") }
                try reader.skip()
            }
        }

        private static let telling: [StaticString] = [
            "detail-type", "triggerSource", "methodArn", "routeArn",
        ]

        var kind: String? {
            switch source {
            case "aws:sqs": return "an SQS event (\(notHTTP))"
            case "aws:sns": return "an SNS event (\(notHTTP))"
            case "aws:s3": return "an S3 event (\(notHTTP))"
            case "aws:kinesis": return "a Kinesis event (\(notHTTP))"
            case "aws:dynamodb": return "a DynamoDB stream event (\(notHTTP))"
            case let source?: return "an event of \(String(source.unicodeScalars.prefix(100))) (\(notHTTP))"
            case nil: break
            }
            if context.contains("connectionId") { return "a WebSocket API's event (\(webSocket))" }
            if names.contains("methodArn") || names.contains("routeArn") {
                return "an API Gateway authorizer's event (\(notHTTP))"
            }
            if names.contains("detail-type") { return "an EventBridge or schedule event (\(notHTTP))" }
            if names.contains("triggerSource") { return "a Cognito trigger's event (\(notHTTP))" }
            return nil
        }
    }
}
