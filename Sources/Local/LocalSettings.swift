#if canImport(Glibc)
internal import Glibc
#elseif canImport(Darwin)
internal import Darwin
#endif

/// What the environment says to the local Lambda. Its own names are strict: a bad value is a clear message at start.
struct LocalSettings: Sendable {
    enum URLMode: String, Sendable {
        case buffered
        case responseStream = "response_stream"
    }

    /// `PORT`: the front door's port on 127.0.0.1; 8080 when unset.
    var port: UInt16 = 8080
    /// `SLUICE_LOCAL_FRONT`: the front end; a Function URL when unset.
    var front = FrontEndKind.functionURL
    /// `SLUICE_LOCAL_URL_MODE`: whether a Function URL or a REST API streams; the app's own `AWS_LWA_INVOKE_MODE` when unset.
    var urlMode: URLMode
    /// `SLUICE_LOCAL_TIMEOUT`: the function's time-out in seconds, up to 900; 30 when unset. Lambda's own default is 3.
    var timeout: Duration = .seconds(30)
    /// `SLUICE_LOCAL_FREEZE`: `off` leaves the app running between invocations.
    var freezes = true
    /// `SLUICE_LOCAL_PROGRAM`: the program in the sandbox, such as a packaged `bootstrap`; this one when unset. From the root on.
    var program: String?
    /// The folder of ``program``, in which it works as on AWS: there, too, what is not in the package is missing.
    var programFolder: String? {
        program.flatMap { path in path.lastIndex(of: "/").map { String(path[...$0]) } }
    }
    /// `SLUICE_LOCAL_SANDBOXES`: how many requests are served at once, each in a process of its own, 1 to 100; 4 when unset.
    var sandboxes = 4
    /// `--watch`, or `SLUICE_LOCAL_WATCH`: `on`, or folders of the package, separated by colons. What in them is built anew when it changes;
    /// nil for nothing.
    var watched: [String]?
    /// `AWS_LAMBDA_MAX_CONCURRENCY`: 1 when unset or unusable, as in the app.
    var concurrency = 1

    /// `SLUICE_LOCAL_PLATFORM_ERROR`: `1/50` has the telemetry call every 50th invocation an error that was none; never when unset.
    var platformErrorEvery: Int?

    struct Problem: Error, CustomStringConvertible {
        let description: String
    }

    /// The argument that says what `SLUICE_LOCAL_WATCH=on` says.
    static let watchArgument = "--watch"

    init(_ environment: [String: String], arguments: [String] = []) throws(Problem) {
        let appMode = URLMode(rawValue: environment["AWS_LWA_INVOKE_MODE"]?.lowercased() ?? "") ?? .buffered
        urlMode = appMode
        if let text = environment["SLUICE_LOCAL_URL_MODE"], !text.isEmpty {
            guard let mode = URLMode(rawValue: text.lowercased()) else {
                throw Problem(description: "SLUICE_LOCAL_URL_MODE: expected buffered or response_stream, found '\(text)'")
            }
            urlMode = mode
        }
        if let text = environment["SLUICE_LOCAL_FRONT"], !text.isEmpty {
            guard let kind = FrontEndKind(rawValue: text) else {
                let known = FrontEndKind.allCases.map(\.rawValue).joined(separator: ", ")
                throw Problem(description: "SLUICE_LOCAL_FRONT: expected one of \(known), found '\(text)'")
            }
            front = kind
        }
        if let text = environment["PORT"], !text.isEmpty {
            guard let number = UInt16(text) else {
                throw Problem(description: "PORT: expected a number from 0 to 65535, found '\(text)'")
            }
            port = number
        }
        if let text = environment["SLUICE_LOCAL_TIMEOUT"], !text.isEmpty {
            guard let seconds = Double(text), seconds > 0, seconds <= 900 else {
                throw Problem(description: "SLUICE_LOCAL_TIMEOUT: expected seconds, up to 900, found '\(text)'")
            }
            timeout = .milliseconds(Int64(seconds * 1000))
        }
        if let text = environment["SLUICE_LOCAL_FREEZE"], !text.isEmpty {
            guard text == "on" || text == "off" else {
                throw Problem(description: "SLUICE_LOCAL_FREEZE: expected on or off, found '\(text)'")
            }
            freezes = text == "on"
        }
        if let text = environment["SLUICE_LOCAL_PROGRAM"], !text.isEmpty {
            guard access(text, X_OK) == 0 else {
                throw Problem(description: "SLUICE_LOCAL_PROGRAM: there is no program at '\(text)'")
            }
            program = text.hasPrefix("/") ? text : Self.workingFolder + "/" + text
        }
        if let text = environment["SLUICE_LOCAL_SANDBOXES"], !text.isEmpty {
            guard let number = Int(text), (1...100).contains(number) else {
                throw Problem(description: "SLUICE_LOCAL_SANDBOXES: expected a number from 1 to 100, found '\(text)'")
            }
            sandboxes = number
        }
        watched = Self.watched(environment["SLUICE_LOCAL_WATCH"] ?? "", isAsked: arguments.contains(Self.watchArgument))
        if watched != nil, program != nil {
            throw Problem(
                description: "SLUICE_LOCAL_PROGRAM: a program that is not this one cannot be watched; leave one of the two out")
        }
        if let text = environment["SLUICE_LOCAL_PLATFORM_ERROR"], !text.isEmpty {
            guard text.hasPrefix("1/"), let number = Int(text.dropFirst(2)), number > 0, text == "1/\(number)" else {
                throw Problem(
                    description: "SLUICE_LOCAL_PLATFORM_ERROR: expected 1/50, for every 50th invocation, found '\(text)'")
            }
            platformErrorEvery = number
        }
        concurrency = max(1, Int(environment["AWS_LAMBDA_MAX_CONCURRENCY"] ?? "") ?? 1)
        if concurrency > 1 { freezes = false }  // managed instances run many invocations at once and are not frozen
    }

    private static var workingFolder: String {
        guard let path = getcwd(nil, 0) else { return "." }
        defer { free(path) }
        return String(cString: path)
    }

    private static func watched(_ text: String, isAsked: Bool) -> [String]? {
        switch text {
        case "", "off": isAsked ? ["Sources"] : nil
        case "on", "1": ["Sources"]
        default: text.parts(at: ":").filter { !$0.isEmpty }.map(String.init)
        }
    }
}
