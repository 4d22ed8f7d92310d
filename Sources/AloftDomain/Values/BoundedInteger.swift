extension FixedWidthInteger {
    /// A measured or reckoned number without its fraction, held within a range; the range's lower bound
    /// where it is no number at all.
    package init(bounded value: Double, _ range: ClosedRange<Self>) {
        guard value > Double(range.lowerBound) else {
            self = range.lowerBound
            return
        }
        self =
            value < Double(range.upperBound)
            ? Self(exactly: value.rounded(.towardZero)) ?? range.upperBound : range.upperBound
    }
}
