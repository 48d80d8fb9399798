/// A session that is not there, or that cannot be kept: a mistake of the app, so a 500. More reasons may come: compare ``code``.
public struct SessionError: Error, Equatable, CustomStringConvertible {
    /// The kind of mistake.
    public struct Code: RawRepresentable, Sendable, Hashable {
        /// The kind's name.
        public let rawValue: String

        /// - Parameter rawValue: The kind's name.
        public init(rawValue: String) { self.rawValue = rawValue }

        /// No ``Sessions`` stands above the route.
        public static let notInstalled = Self(rawValue: "notInstalled")
        /// There are more bytes, or more keys, than can be kept.
        public static let tooLarge = Self(rawValue: "tooLarge")
    }

    /// The kind of mistake.
    public let code: Code
    /// What happened and what to do about it, for the log: sizes and keys, and no values.
    public let description: String

    private init(_ code: Code, _ description: String) { (self.code, self.description) = (code, description) }

    static let notInstalled = Self(
        .notInstalled,
        "this route has no session: put `Sessions(keys: …)` above it, into the app's list or into its group")

    static func tooManyKeys(_ count: Int) -> Self {
        Self(.tooLarge, "a session has \(SessionValues.mostKeys) keys at most, and this one has \(count)")
    }

    static func tooLongKey(_ key: String) -> Self {
        let start = String(decoding: key.utf8.prefix(32), as: UTF8.self)
        return Self(
            .tooLarge, "a session's key has \(SessionValues.longestKey) bytes at most, and '\(start)…' has \(key.utf8.count)")
    }

    static func tooLarge(_ byteCount: Int, limit: Int, of values: SessionValues) -> Self {
        Self(.tooLarge, "a session's values have \(limit) bytes at most, and these have \(byteCount)\(largest(of: values))")
    }

    static func cookieTooLarge(_ byteCount: Int, limit: Int, of values: SessionValues) -> Self {
        Self(
            .tooLarge,
            """
            a session's cookie has \(limit) bytes at most, and this one would have \(byteCount)\(largest(of: values)); \
            a store on the server has room for more: `Sessions(keys: …, store: …)`
            """)
    }

    private static func largest(of values: SessionValues) -> String {
        values.largest.map { ", \($0.byteCount) of them under '\($0.key)' before they are encoded" } ?? ""
    }
}
