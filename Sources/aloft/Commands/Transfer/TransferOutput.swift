import AloftClient
import AloftTransfer
import Foundation
import Synchronization

/// How far a transfer is: drawn over on a terminal, else a line now and then.
final class ProgressLine: Sendable {
    private let verb: String
    private let shownRuns = Mutex(-1)

    init(verb: String) { self.verb = verb }

    func show(_ report: TransferReport) {
        let seen = report.runs + report.runsUnchanged
        let isDue = shownRuns.withLock { shown in
            guard seen != shown, Terminal.isInteractive || shown < 0 || seen - shown >= 500 else {
                return false
            }
            shown = seen
            return true
        }
        guard isDue else { return }
        let text = Self.text(report, verb: verb)
        if Terminal.isInteractive { Terminal.redraw(text) } else { Terminal.note(text) }
    }

    /// Ends a line that is drawn over.
    func end() { if Terminal.isInteractive { Terminal.redraw("") } }

    static func text(_ report: TransferReport, verb: String) -> String {
        let size = ByteText.of(report.fileBytes)
        return "\(verb) \(report.experiments) experiments, \(report.runs) runs, \(report.points) "
            + "points, \(report.files) files (\(size)), \(report.loggedModels) logged models, "
            + "\(report.models) models with \(report.versions) versions; "
            + "\(report.runsUnchanged) runs were there already"
    }

    func summary(_ report: TransferReport) -> String { Self.text(report, verb: verb) }
}

enum TransferOutput {
    /// The most lines of one kind; `--json` has all.
    private static let mostLines = 50

    static func run(
        _ progress: ProgressLine, json: Bool, _ body: () async throws -> TransferReport
    ) async throws {
        let report: TransferReport
        do {
            report = try await body()
        } catch let error as SourceError {
            progress.end()
            throw CommandFailure("\(error.message). What was copied is whole; start it again.")
        } catch let error as ClientError {
            progress.end()
            throw CommandFailure("\(error.message). What was copied is whole; start it again.")
        }
        progress.end()
        if json { try Terminal.json(report) } else { show(report, progress) }
        guard report.failures.isEmpty else {
            throw CommandFailure("\(report.failures.count) things failed; see above")
        }
    }

    private static func show(_ report: TransferReport, _ progress: ProgressLine) {
        Terminal.line(progress.summary(report))
        list("left out", report.leftOut)
        list("failed", report.failures)
    }

    private static func list(_ title: String, _ items: [LeftOut]) {
        guard !items.isEmpty else { return }
        Terminal.line("\(title):")
        for item in items.prefix(mostLines) { Terminal.line("  \(item.what): \(item.why)") }
        if items.count > mostLines {
            Terminal.line("  and \(items.count - mostLines) more; --json lists all")
        }
    }
}

/// Sizes for people.
enum ByteText {
    static func of(_ bytes: Int64) -> String {
        var value = Double(bytes)
        for unit in ["B", "KiB", "MiB", "GiB"] {
            if value < 1024 {
                return unit == "B" ? "\(bytes) B" : String(format: "%.1f \(unit)", value)
            }
            value /= 1024
        }
        return String(format: "%.1f TiB", value)
    }
}
