// text-file: digests and our own tables

extension SpaceQueries {
    /// Tables that never name a blob: what runs record, what happened, the schema's own.
    private static let withoutBlobs: Set<String> = [
        "event", "experiment", "experimentTag", "run", "runParam", "runTag", "latestMetric",
        "metricTail", "metricBlock", "metricContext", "dataset", "runDataset", "runDatasetTag",
        "runModelInput", "runModelOutput", "loggedModel", "loggedModelParam", "loggedModelTag",
        "loggedModelMetric", "token", "garbage", "imported", "importedExperiment",
        "grdb_migrations", "sqlite_sequence", "metricSummary", "trace", "traceTag", "traceMetadata",
        "traceSpan", "traceAssessment", "traceRun", "webhook", "webhookEvent", "webhookDelivery",
    ]

    /// Every digest that any other table holds in any text, whatever it means there: a blob too many
    /// costs space, a blob too few costs somebody's model. Of revisions that ended, whose models are
    /// not served again, none.
    package static func referencedDigests(_ db: Transaction) throws -> Set<String> {
        var digests: Set<String> = []
        for table in try db.tables() where !withoutBlobs.contains(table) {
            let condition = table == "revision" ? "state <> 'ended'" : "TRUE"
            try db.forEachText(of: table, where: condition) { collect(from: $0, into: &digests) }
        }
        return digests
    }

    /// Adds each run of 64 lower-case hexadecimal digits or more, every part of 64 of it.
    static func collect(from text: String, into digests: inout Set<String>) {
        let bytes = Array(text.utf8)
        guard bytes.count >= 64 else { return }
        var start = 0
        for index in 0...bytes.count {
            let isDigit =
                index < bytes.count
                && ((48...57).contains(bytes[index]) || (97...102).contains(bytes[index]))
            if isDigit { continue }
            if index - start >= 64 {
                for first in start...(index - 64) {
                    digests.insert(
                        String(decoding: bytes[first..<(first + 64)], as: UTF8.self))
                }
            }
            start = index + 1
        }
    }
}
