/// What became of the copies that a shadow got; counts of several gateways add up.
package struct ShadowCount: Sendable, Hashable, Codable {
    /// Copies that both answered, so that their answers were compared.
    package var compared: UInt64 = 0
    /// Copies that the shadow failed on.
    package var failed: UInt64 = 0
    /// Copies that both answered in forms that cannot be compared, and how one of them was.
    package var incomparable: UInt64 = 0
    package var notComparable: String?
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
        incomparable &+= other.incomparable
        notComparable = notComparable ?? other.notComparable
        dropped &+= other.dropped
        differing &+= other.differing
        numbers &+= other.numbers
        sumOfDifferences += other.sumOfDifferences
        largestDifference = max(largestDifference, other.largestDifference)
        classes &+= other.classes
        otherClasses &+= other.otherClasses
    }

    private enum CodingKeys: String, CodingKey {
        case compared, failed, incomparable, notComparable, dropped, differing, numbers
        case sumOfDifferences, largestDifference, classes, otherClasses
    }

    /// What was stored before says nothing of what cannot be compared.
    package init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        compared = try container.decode(UInt64.self, forKey: .compared)
        failed = try container.decode(UInt64.self, forKey: .failed)
        incomparable = try container.decodeIfPresent(UInt64.self, forKey: .incomparable) ?? 0
        notComparable = try container.decodeIfPresent(String.self, forKey: .notComparable)
            .map { String($0.prefix(200)) }
        dropped = try container.decode(UInt64.self, forKey: .dropped)
        differing = try container.decode(UInt64.self, forKey: .differing)
        numbers = try container.decode(UInt64.self, forKey: .numbers)
        sumOfDifferences = try container.decode(Double.self, forKey: .sumOfDifferences)
        largestDifference = try container.decode(Double.self, forKey: .largestDifference)
        classes = try container.decode(UInt64.self, forKey: .classes)
        otherClasses = try container.decode(UInt64.self, forKey: .otherClasses)
    }

    package var meanDifference: Double? {
        numbers == 0 ? nil : sumOfDifferences / Double(numbers)
    }
}
