/// What the scores of answers are numbers of. Only scores of one kind say anything about each other: a
/// label of 1 and a probability of 0.7 may be the same answer.
package struct AnswerKind: Sendable, Hashable, Codable {
    package enum Form: String, Codable, Sendable, CaseIterable {
        /// Whole numbers and truth values, as classes are.
        case labels
        /// Texts; they are counted, and have no score.
        case texts
        /// One real number a row.
        case number
        /// Several real numbers a row, of which the last is the score.
        case row
        /// What gateways counted that did not tell.
        case untold
    }

    package var form: Form
    /// How many numbers make a row; 0 where that changes.
    package var width: Int
    /// The name of the output that they come from; `nil` where answers have no names of their own.
    package var output: String?

    package init(form: Form, width: Int = 1, output: String? = nil) {
        self.form = form
        self.width = width
        self.output = output
    }

    /// Whether scores of both may be compared.
    package func isLike(_ other: AnswerKind) -> Bool {
        guard form == other.form, width == other.width || width == 0 || other.width == 0 else {
            return false
        }
        guard let output, let theirs = other.output else { return true }
        return output.isSame(as: theirs)
    }

    /// In a person's words.
    package var text: String {
        switch form {
        case .labels, .texts: "labels"
        case .untold: "what its gateway did not tell"
        case .number: output.map { "one number (`\($0)`)" } ?? "one number"
        case .row:
            if let output, output.isSame(as: "probabilities") {
                output
            } else {
                (width > 0 ? "rows of \(width) numbers" : "rows of numbers")
                    + (output.map { " (`\($0)`)" } ?? "")
            }
        }
    }
}

/// What good answers of one revision said, one score a request, apart by what the scores are.
package struct AnswerScores: Sendable, Hashable {
    package private(set) var histograms: [AnswerKind: ScoreHistogram] = [:]

    /// So many kinds are taken from another process.
    private static let mostKinds = 16

    package init() {}

    package init(_ kind: AnswerKind, _ histogram: ScoreHistogram) {
        if histogram.total > 0 { histograms[kind] = histogram }
    }

    package var total: UInt64 {
        histograms.values.reduce(0) { $0.addingSaturated($1.total) }
    }

    package mutating func record(
        _ score: Double, of kind: AnswerKind = AnswerKind(form: .number)
    ) {
        histograms[kind, default: ScoreHistogram()].record(score)
    }

    package mutating func add(_ other: AnswerScores) {
        for (kind, histogram) in other.histograms {
            histograms[kind, default: ScoreHistogram()].add(histogram)
        }
    }

    package func since(_ earlier: AnswerScores) -> AnswerScores {
        var difference = AnswerScores()
        for (kind, histogram) in histograms {
            let since = earlier.histogram(before: kind, in: self).map(histogram.since) ?? histogram
            if since.total > 0 { difference.histograms[kind] = since }
        }
        return difference
    }

    /// What was counted as this kind earlier. Rows of one width become rows of any once another width is
    /// seen: what was counted under the old width is in the new kind then.
    private func histogram(
        before kind: AnswerKind, in later: AnswerScores
    ) -> ScoreHistogram? {
        var found = histograms[kind]
        for (old, histogram) in histograms
        where old != kind && old.isLike(kind) && later.histograms[old] == nil {
            found = found ?? ScoreHistogram()
            found?.add(histogram)
        }
        return found
    }

    /// The kinds that make up a twentieth of the answers at least, the commonest first: fewer move no
    /// distribution by as much as is looked for.
    package var kinds: [AnswerKind] {
        let least = total / 20 + (total % 20 == 0 ? 0 : 1)
        return histograms.map { ($0.key, $0.value.total) }
            .filter { $0.1 > 0 && $0.1 >= least }
            .sorted { ($1.1, $0.0.text) < ($0.1, $1.0.text) }.map(\.0)
    }

    /// The median of the commonest kind that has scores.
    package var median: Double? {
        kinds.first { $0.form != .texts }.flatMap { histograms[$0]?.quantile(0.5) }
            .flatMap { $0.isNaN ? nil : $0 }
    }
}

extension AnswerScores: Codable {
    /// One kind on the wire.
    package struct Item: Codable {
        var kind: AnswerKind
        var counts: ScoreHistogram
    }

    private enum CodingKeys: String, CodingKey { case kinds }

    /// What was stored, or is sent by gateways, from before kinds were told apart is one histogram.
    package init(from decoder: any Decoder) throws {
        self.init()
        guard let container = try? decoder.container(keyedBy: CodingKeys.self) else {
            self.init(AnswerKind(form: .untold), try ScoreHistogram(from: decoder))
            return
        }
        for item in try container.decode([Item].self, forKey: .kinds).prefix(Self.mostKinds) {
            histograms[item.kind, default: ScoreHistogram()].add(item.counts)
        }
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        let items = histograms.map { Item(kind: $0.key, counts: $0.value) }
            .sorted { ($0.kind.text, $0.kind.width) < ($1.kind.text, $1.kind.width) }
        try container.encode(items, forKey: .kinds)
    }
}
