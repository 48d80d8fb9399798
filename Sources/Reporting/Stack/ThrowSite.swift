/// Where an error was thrown: raw return addresses, and the scope of the task that threw it.
struct ThrowSite: Sendable {
    /// Kept, so that no other error can have its address meanwhile.
    let error: any Error
    /// A typed throw has no box of its own: each layer makes a new one.
    let isTyped: Bool
    /// Innermost first.
    let addresses: [UInt]
    let scope: ReportScope
}
