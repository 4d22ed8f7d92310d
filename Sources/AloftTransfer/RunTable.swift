import AloftDomain
import AloftWire
import Foundation

/// All runs of an experiment as one table: a column for each param and each metric.
struct RunTable {
    private var runs: [TransferRun] = []
    private var params: Set<ExactText> = []
    private var metrics: Set<ExactText> = []

    mutating func add(_ run: TransferRun) {
        params.formUnion(run.params.map { ExactText($0.key) })
        metrics.formUnion(run.metrics.map { ExactText($0.key) })
        // The table needs neither tags nor datasets.
        var small = run
        small.tags = []
        small.datasets = []
        runs.append(small)
    }

    var csv: Data {
        let paramKeys = params.sorted { $0.text < $1.text }
        let metricKeys = metrics.sorted { $0.text < $1.text }
        var text =
            (["run_id", "name", "user", "status", "started", "ended"]
            + paramKeys.map { "params.\($0.text)" } + metricKeys.map { "metrics.\($0.text)" })
            .map(CSV.cell).joined(separator: ",") + "\n"
        for run in runs {
            let values = Dictionary(
                run.params.map { (ExactText($0.key), $0.value) },
                uniquingKeysWith: { _, last in last })
            let numbers = Dictionary(
                run.metrics.map { (ExactText($0.key), $0.value) },
                uniquingKeysWith: { _, last in last })
            var cells = [
                run.id.rawValue, run.name, run.user, run.status.rawValue, Self.time(run.startTime),
                run.endTime.map(Self.time) ?? "",
            ]
            cells += paramKeys.map { values[$0] ?? "" }
            cells += metricKeys.map { numbers[$0].map(CSV.number) ?? "" }
            text += cells.map(CSV.cell).joined(separator: ",") + "\n"
        }
        return Data(text.utf8)
    }

    private static func time(_ milliseconds: Int64) -> String {
        // The style cuts; a tenth of a millisecond on top is cut to just that.
        Date(millisecondsSince1970: milliseconds).addingTimeInterval(0.000_1)
            .formatted(Date.ISO8601FormatStyle(includingFractionalSeconds: true))
    }
}
