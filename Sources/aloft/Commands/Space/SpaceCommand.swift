import AloftClient
import AloftWire
import ArgumentParser
import Foundation

struct SpaceCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "gc",
        abstract: "Show what takes space that nothing needs; with --yes, free it.",
        discussion: """
            Examples:
              aloft gc
              aloft gc --older-than 7d --yes

            What was deleted may be restored until it is freed. What a registered model uses stays.
            The server goes on serving meanwhile.
            """)

    @Option(
        help: ArgumentHelp(
            "Only what was deleted so long ago: 90s, 30m, 12h, 30d.", valueName: "age"))
    var olderThan = "30d"

    @Flag(help: "Free it.")
    var yes = false

    @OptionGroup var options: ServerOptions

    func run() async throws {
        let seconds = try Self.seconds(olderThan)
        let client = try options.client()
        let plan = try await client.call(
            ShowSpace.self, query: ["older_than": String(seconds)], timeout: .seconds(600))
        guard yes else {
            if options.json { return try Terminal.json(plan) }
            Self.show(plan, total: "would free")
            return Terminal.note("Nothing was changed. Add --yes to free it.")
        }
        let reply = try await client.call(
            FreeSpace.self, body: .init(cutoff: plan.cutoff), timeout: .seconds(6 * 3600))
        if options.json { return try Terminal.json(reply) }
        Self.show(reply.freed, total: "freed")
        let (before, after) = (reply.databaseBytesBefore, reply.freed.databaseBytes)
        Terminal.line("database: \(ByteText.of(before)) before, \(ByteText.of(after)) now")
    }

    /// A whole number with a unit.
    static func seconds(_ text: String) throws -> Int64 {
        let units: [Character: Int64] = ["s": 1, "m": 60, "h": 3600, "d": 86400]
        guard let unit = text.last, let factor = units[unit], let count = Int64(text.dropLast()),
            (0...36500).contains(count) || unit != "d", count >= 0, count <= 3_000_000_000 / factor
        else {
            throw CommandFailure.usage(
                "--older-than \(text): expected a number with s, m, h or d, such as 30d")
        }
        return count * factor
    }

    private static func show(_ report: SpaceReport, total: String) {
        guard !report.lines.isEmpty || !report.kept.isEmpty else {
            return Terminal.line("Nothing to free.")
        }
        var table = TextTable([
            ("WHAT", .left), ("EXPERIMENT", .left), ("COUNT", .right), ("FILES", .right),
            ("POINTS", .right),
        ])
        for line in report.lines {
            table.add([
                words(line.reason), line.experiment ?? "", String(line.count),
                ByteText.of(line.bytes), line.points == 0 ? "" : String(line.points),
            ])
        }
        if !report.lines.isEmpty { Terminal.line(table.text) }
        let bytes = report.lines.reduce(0) { $0 + $1.bytes }
        Terminal.line("\(total) \(ByteText.of(bytes)) of files")
        guard !report.kept.isEmpty else { return }
        Terminal.line("kept although deleted:")
        for kept in report.kept.prefix(20) { Terminal.line("  \(kept.what): \(kept.why)") }
        if report.kept.count > 20 {
            Terminal.line("  and \(report.kept.count - 20) more; --json lists them")
        }
    }

    private static func words(_ reason: SpaceReport.Reason) -> String {
        switch reason {
        case .deletedRuns: "deleted runs"
        case .deletedLoggedModels: "deleted logged models"
        case .deletedExperiments: "deleted experiments"
        case .unknownFolders: "folders of no known run or model"
        case .unusedBlobs: "blobs that nothing uses"
        case .abandonedUploads: "uploads that never ended"
        case .trash: "artifact folders that were deleted"
        case .leftFromEarlier: "left by an interrupted gc"
        }
    }
}
