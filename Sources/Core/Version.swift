/// Which release this is.
package enum Version {
    /// A semantic version, as `0.1.0`.
    package static let current = "0.1.0"
}
