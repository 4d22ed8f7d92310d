/// What became of the copies that a shadow got; counts of several gateways add up.
package struct ShadowCount: Sendable, Hashable, Codable {
    /// Copies that both answered, so that their answers were compared.
    package var compared: UInt64 = 0
    /// Copies that the shadow failed on, or answered in another form.
    package var failed: UInt64 = 0
    /// Copies that were let go, because too many waited.
    package var dropped: UInt64 = 0
    /// Compared copies of which some number was not the same, up to a millionth of it.
    package var differing: UInt64 = 0
    /// Numbers compared, and the sum and the largest of their absolute differences.
    package var numbers: UInt64 = 0
    package var sumOfDifferences = 0.0
    package var largestDifference = 0.0
    /// Rows that say a class, and those of which both did not say the same one.
    package var classes: UInt64 = 0
    package var otherClasses: UInt64 = 0

    package init() {}

    package mutating func add(_ other: ShadowCount) {
        compared &+= other.compared
        failed &+= other.failed
        dropped &+= other.dropped
        differing &+= other.differing
        numbers &+= other.numbers
        sumOfDifferences += other.sumOfDifferences
        largestDifference = max(largestDifference, other.largestDifference)
        classes &+= other.classes
        otherClasses &+= other.otherClasses
    }

    package var meanDifference: Double? {
        numbers == 0 ? nil : sumOfDifferences / Double(numbers)
    }
}
