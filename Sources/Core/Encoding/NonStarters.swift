/// Marks that combine with the character before them. Comparing or hashing text sorts each run of them, which takes a time that grows
/// with the square of its length.
package enum NonStarters {
    /// No language needs more in a row: UAX #15, section 13, "Stream-Safe Text Format".
    package static let limit = 30

    package static func hasLongRun(_ text: some Sequence<Unicode.Scalar>) -> Bool {
        var run = 0
        for scalar in text {
            // None is below U+0300.
            run = scalar.value >= 0x300 && isNonStarter(scalar) ? run + 1 : 0
            if run > limit { return true }
        }
        return false
    }

    package static func isNonStarter(_ scalar: Unicode.Scalar) -> Bool {
        scalar.properties.canonicalCombiningClass != .notReordered
    }
}
