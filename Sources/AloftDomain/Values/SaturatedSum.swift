extension UInt64 {
    /// The sum, or the largest number where it would overflow: for counts that come from other
    /// processes and may be anything.
    package func addingSaturated(_ other: UInt64) -> UInt64 {
        let (sum, overflow) = addingReportingOverflow(other)
        return overflow ? .max : sum
    }
}
