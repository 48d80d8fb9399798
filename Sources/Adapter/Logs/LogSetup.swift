internal import Logging

/// Makes swift-log write Lambda's formats.
enum LogSetup {
    /// The logger for Sluice's own records, which have Lambda's format whatever backend the app has chosen.
    static func install(json: Bool, level: Logger.Level, bootstraps: Bool) -> Logger {
        // An app that has bootstrapped keeps its backend: swift-log stops the process at a second bootstrap. Its default is
        // the only handler of this type that an app is likely to have.
        if bootstraps, Logger(label: "probe").handler is StreamLogHandler {
            LoggingSystem.bootstrap { label in
                LambdaLogHandler(label: label, json: json, level: level, feedsReports: true)
            }
        }
        return Logger(label: "sluice") { label in LambdaLogHandler(label: label, json: json, level: level) }
    }
}

extension LambdaLogHandler {
    /// Makes swift-log write Lambda's formats, as the environment says, from here on.
    ///
    /// `run()` does so too, but a `Logger` keeps the backend that it was made with: call this first thing in `main` when loggers
    /// are made before `run()`. Call it once, and bootstrap nothing else: swift-log stops the process at a second bootstrap.
    public static func bootstrap() {
        let log = LogSettings(ProcessEnvironment.all())
        LoggingSystem.bootstrap { label in
            LambdaLogHandler(label: label, json: log.isJSON, level: log.level, feedsReports: true)
        }
    }
}
