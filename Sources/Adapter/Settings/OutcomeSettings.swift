internal import SluiceCore
/// What the environment says of the line that each invocation writes when it is over.
struct OutcomeSettings: Sendable, Equatable {
    /// `SLUICE_OUTCOME`: `on` writes it; `off` when unset.
    let isOn: Bool
    /// `SLUICE_METRICS`: `emf` makes metrics of it, and of what the app measures, in CloudWatch's embedded metric format; nil when unset.
    let metrics: Metrics?

    struct Metrics: Sendable, Equatable {
        /// `SLUICE_METRICS_NAMESPACE`: CloudWatch's name for all of them; `Sluice` when unset.
        let namespace: String
        /// `AWS_LAMBDA_FUNCTION_NAME`: the dimension that all of them have.
        let functionName: String
    }

    /// - Throws: ``SettingsError``.
    init(_ environment: Environment) throws(SettingsError) {
        func given(_ name: String) -> String? { environment[name].flatMap { $0.isEmpty ? nil : $0 } }
        let isOn: Bool
        switch given("SLUICE_OUTCOME") {
        case nil, "off": isOn = false
        case "on": isOn = true
        default: throw SettingsError(variable: "SLUICE_OUTCOME", reason: "expected on or off")
        }
        let namespace = given("SLUICE_METRICS_NAMESPACE")
        if let namespace, !Self.isNamespace(namespace) {
            throw SettingsError(
                variable: "SLUICE_METRICS_NAMESPACE",
                reason: "expected up to 255 letters, digits and . - _ / # : that do not begin with AWS/ or a colon")
        }
        switch given("SLUICE_METRICS") {
        case nil: metrics = nil
        case "emf":
            metrics = Metrics(namespace: namespace ?? "Sluice", functionName: given("AWS_LAMBDA_FUNCTION_NAME") ?? "unknown")
        default: throw SettingsError(variable: "SLUICE_METRICS", reason: "expected emf")
        }
        // The metrics are part of the line.
        self.isOn = isOn || metrics != nil
    }

    private static func isNamespace(_ text: String) -> Bool {
        let isLegal = text.utf8.allSatisfy { octet in
            switch octet {
            case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: true
            default: ".-_/#:".utf8.contains(octet)
            }
        }
        return isLegal && text.utf8.count <= 255 && !text.hasPrefix("AWS/") && !text.hasPrefix(":")
    }
}
