internal import HTTPTypes
internal import Logging
internal import SluiceMiddleware
internal import SluiceReporting
internal import SluiceCore

/// What the settings say of the way from an event to its request.
struct EventRules: Sendable {
    /// `AWS_LWA_REMOVE_BASE_PATH`: as `/api`, without a slash at its end; empty: nothing is removed.
    var basePath = ""
    /// `AWS_LWA_AUTHORIZATION_SOURCE`: the header whose value stands in the place of `Authorization`.
    var authorizationSource: HTTPField.Name?
    /// `SLUICE_STAGE_IN_PATH`: whether a REST API's stage is the path's first segment.
    var stageInPath = false

    /// Nothing is to be done to a request.
    var isEmpty: Bool { basePath.isEmpty && authorizationSource == nil }

    func apply(to request: inout Request) {
        if !basePath.isEmpty, request.rawPath.hasSegments(basePath) {
            let rest = String(Substring(request.rawPath.utf8.dropFirst(basePath.utf8.count)))
            request.rawPath = rest.isEmpty ? "/" : rest
        }
        guard let authorizationSource else { return }
        guard let value = request.headers[values: authorizationSource].first else {
            return Self.warnings.once {
                Logger(label: "sluice").warning(
                    "AWS_LWA_AUTHORIZATION_SOURCE: a request has no header '\(authorizationSource)'; its Authorization stays")
            }
        }
        request.headers[authorizationSource] = nil
        request.headers[.authorization] = value
    }

    private static let warnings = Once()
}

extension EventRules {
    /// - Parameter warnings: Gets what is ignored.
    /// - Throws: ``SettingsError``.
    init(_ environment: Environment, _ warnings: inout [String]) throws(SettingsError) {
        var path = environment["AWS_LWA_REMOVE_BASE_PATH"] ?? ""
        while path.utf8.last == 0x2F { path.unicodeScalars.removeLast() }
        if !path.isEmpty, path.utf8.first != 0x2F {
            warnings.append("AWS_LWA_REMOVE_BASE_PATH: '\(path)' does not begin with '/'; ignored")
            path = ""
        }
        basePath = path
        let source = environment["AWS_LWA_AUTHORIZATION_SOURCE"] ?? ""
        authorizationSource = HTTPField.Name(source)
        if !source.isEmpty, authorizationSource == nil {
            warnings.append("AWS_LWA_AUTHORIZATION_SOURCE: '\(source)' is no header name; ignored")
        }
        switch environment["SLUICE_STAGE_IN_PATH"] ?? "" {
        case "", "off": stageInPath = false
        case "on": stageInPath = true
        default: throw SettingsError(variable: "SLUICE_STAGE_IN_PATH", reason: "expected on or off")
        }
    }
}
