extension Duration {
    /// Whole milliseconds, rounded towards zero; the first or the last number there is where it would lie beyond that.
    package var milliseconds: Int {
        let (seconds, attoseconds) = components
        let (whole, overflow) = seconds.multipliedReportingOverflow(by: 1000)
        return overflow ? (seconds < 0 ? .min : .max) : Int(clamping: whole &+ attoseconds / 1_000_000_000_000_000)
    }
}
