internal import SluiceCore

/// CloudWatch's embedded metric format: a JSON object in the log, some of whose members are metrics because `_aws` says so.
///
/// - SeeAlso: <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html>
enum EMF {
    /// The dimension that everything has; Lambda's own metrics have it too.
    static let functionName = "FunctionName"
    /// Of metrics in one directive, and of values of one metric.
    static let limit = 100
    /// Of dimensions in one set.
    static let dimensionLimit = 30

    enum Unit: String, Sendable {
        case none = "None"
        case count = "Count"
        case bytes = "Bytes"
        case microseconds = "Microseconds"
        case milliseconds = "Milliseconds"
        case seconds = "Seconds"
    }

    struct Directive {
        /// Sets of names of members, whose values are strings.
        let dimensions: [[String]]
        /// Names of members, whose values are numbers or arrays of them.
        let metrics: [(name: String, unit: Unit)]
    }

    /// Writes the member `_aws`.
    static func write(
        _ directives: [Directive], namespace: String, _ time: WallClock.Instant, to json: inout JSONWriter
    ) {
        json.key("_aws")
        json.object { json in
            json.field("Timestamp", Int(time.millisecondsSinceEpoch))
            json.key("CloudWatchMetrics")
            json.array { json in
                for directive in directives { write(directive, namespace, to: &json) }
            }
        }
    }

    private static func write(_ directive: Directive, _ namespace: String, to json: inout JSONWriter) {
        json.object { json in
            json.field("Namespace", namespace)
            json.key("Dimensions")
            json.array { json in
                for names in directive.dimensions {
                    json.array { json in for name in names { json.string(name.utf8) } }
                }
            }
            json.key("Metrics")
            json.array { json in
                for (name, unit) in directive.metrics {
                    json.object { json in
                        json.field("Name", name)
                        json.field("Unit", unit.rawValue)
                    }
                }
            }
        }
    }
}
