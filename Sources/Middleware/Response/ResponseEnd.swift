public import HTTPTypes

/// How a response ended: what the client got, and not what was intended.
public struct ResponseEnd: Sendable {
    /// The status that was sent: that of the error's own response, where the body failed before its first byte.
    public let status: HTTPResponse.Status
    /// How many bytes of the body were sent; none as a rule where the deadline guard answered.
    public let bytesWritten: Int
    /// What the response stands for, or what cut it; nil where nothing failed.
    public let error: (any Error)?
    /// Whether the client has the status and not the whole body.
    public let isCut: Bool

    package init(status: HTTPResponse.Status, bytesWritten: Int, error: (any Error)?, isCut: Bool = false) {
        self.status = status
        self.bytesWritten = bytesWritten
        self.error = error
        self.isCut = isCut
    }
}
