/// Five fields: minute, hour, day of the month, month, day of the week (0 and 7 are Sunday), in UTC.
/// Each is `*` or a list of numbers, ranges and steps: `0`, `1-5`, `*/15`, `1,3,5`, `mon-fri`.
package struct CronSchedule: Sendable, Hashable {
    package let source: String
    package let minutes: Set<Int>
    package let hours: Set<Int>
    package let days: Set<Int>
    package let months: Set<Int>
    /// 0 is Sunday.
    package let weekdays: Set<Int>

    /// What is wrong with a schedule, as a sentence.
    package struct Malformed: Error, Equatable { package let message: String }

    package init(_ source: String) throws(Malformed) {
        let fields = source.split(separator: " ").map(String.init)
        guard fields.count == 5 else {
            throw Malformed(
                message: "a schedule has 5 fields (minute hour day month weekday), not "
                    + "\(fields.count); every Monday at 3:00 is `0 3 * * 1`")
        }
        self.source = source
        minutes = try Field.minute.values(fields[0])
        hours = try Field.hour.values(fields[1])
        days = try Field.day.values(fields[2])
        months = try Field.month.values(fields[3])
        weekdays = Set(try Field.weekday.values(fields[4]).map { $0 % 7 })
    }

    private struct Field {
        let name: String
        let range: ClosedRange<Int>
        var names: [String] = []

        static let minute = Field(name: "minute", range: 0...59)
        static let hour = Field(name: "hour", range: 0...23)
        static let day = Field(name: "day", range: 1...31)
        static let month = Field(
            name: "month", range: 1...12,
            names: [
                "", "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov",
                "dec",
            ])
        static let weekday = Field(
            name: "weekday", range: 0...7, names: ["sun", "mon", "tue", "wed", "thu", "fri", "sat"])

        func values(_ text: String) throws(Malformed) -> Set<Int> {
            var values: Set<Int> = []
            for item in text.split(separator: ",", omittingEmptySubsequences: false) {
                let parts = item.split(
                    separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
                let bounds = try self.bounds(parts[0], of: text, isStepped: parts.count == 2)
                guard parts.count == 1 || (Int(parts[1]).map { $0 > 0 && $0 <= 60 } ?? false) else {
                    throw malformed(text)
                }
                let step = parts.count == 2 ? Int(parts[1]) ?? 1 : 1
                values.formUnion(
                    stride(from: bounds.lowerBound, through: bounds.upperBound, by: step))
            }
            return values
        }

        private func bounds(
            _ item: Substring, of text: String, isStepped: Bool
        ) throws(Malformed) -> ClosedRange<Int> {
            if item == "*" { return range }
            let ends = item.split(separator: "-", omittingEmptySubsequences: false)
            guard ends.count <= 2, let low = ends.first.flatMap(number),
                let high = ends.last.flatMap(number), low <= high
            else { throw malformed(text) }
            return low...(ends.count == 1 && isStepped ? range.upperBound : high)
        }

        private func number(_ text: Substring) -> Int? {
            let value =
                names.firstIndex { !$0.isEmpty && $0 == text.lowercased() } ?? Int(text)
            return value.flatMap { range.contains($0) ? $0 : nil }
        }

        private func malformed(_ text: String) -> Malformed {
            Malformed(
                message: "the \(name) `\(text)` is not `*`, a number from \(range.lowerBound) to "
                    + "\(range.upperBound), or a list, range or step of them")
        }
    }
}

extension CronSchedule: Codable {
    package init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        let source = try container.decode(String.self)
        do {
            try self.init(source)
        } catch {
            throw DecodingError.dataCorruptedError(
                in: container, debugDescription: error.message)
        }
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(source)
    }
}
