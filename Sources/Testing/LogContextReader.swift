internal import Logging
internal import SluiceCore

/// What `LogContext()` puts into the records of the current request.
enum LogContextReader {
    static var current: Logger.Metadata { InvocationScope.current?.state.logContext ?? [:] }
}
