/// Where an error was thrown: raw return addresses, and what was known in the task that threw it.
package struct ThrowSite: Sendable {
    /// Kept, so that no other error can have its address meanwhile.
    package let error: any Error
    /// A typed throw has no box of its own: each layer makes a new one.
    package let isTyped: Bool
    /// Innermost first.
    package let addresses: [UInt]
    /// What the scope's follower knew; nil where nobody followed.
    package let known: (any Sendable)?
}
