import AloftControl
import AloftDomain
import ArgumentParser
import Foundation

struct BackupCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "backup",
        abstract: "Back up a server's data folder, while it runs.",
        discussion: """
            Examples:
              aloft backup /backup/aloft --data ./aloft-data
              aloft backup /backup/aloft --data ./aloft-data --keep 14
              aloft backup /backup/aloft --verify

            Run it on the server's machine, as the server's user. Each time adds a generation; what did
            not change is not copied again. `aloft restore` makes a data folder of one.
            """)

    @Argument(help: ArgumentHelp("Where backups are kept; on another disk.", valueName: "folder"))
    var folder: String

    @Option(help: ArgumentHelp("The server's data folder.", valueName: "dir"))
    var data = "./aloft-data"

    @Option(help: ArgumentHelp("Keep so many generations; all if not given.", valueName: "number"))
    var keep: Int?

    @Flag(help: "Make none; read every file of the newest, or of --generation.")
    var verify = false

    @Flag(help: "Make none; list what is there.")
    var list = false

    @Option(help: ArgumentHelp("Which one to verify.", valueName: "name"))
    var generation: String?

    @Flag(help: "Print JSON.")
    var json = false

    func run() async throws {
        if let keep, !(1...10_000).contains(keep) {
            throw CommandFailure.usage("--keep \(keep): expected a number from 1 to 10000")
        }
        let path = URL(fileURLWithPath: folder).standardizedFileURL.path
        if list { return try showList(try BackupFolder(path: path, makes: false)) }
        if verify { return try check(try BackupFolder(path: path, makes: false)) }
        let source = URL(fileURLWithPath: data).standardizedFileURL.path
        try refuseInside(path, source)
        let shown = BackupProgressLine()
        let result = try BackupMaker(
            data: source, folder: try BackupFolder(path: path, makes: true),
            program: BuildVersion.text, time: .live, progress: shown.show
        ).make(keeping: keep)
        shown.end()
        if json {
            try Terminal.json(result)
        } else {
            Terminal.line(
                "\(result.generation): \(result.files) files, \(ByteText.of(result.bytes)), at commit "
                    + "\(result.position); copied \(result.copiedFiles) files, "
                    + ByteText.of(result.copiedBytes))
        }
        try fail(over: result.faults, "could not be taken; everything else was")
    }

    private func check(_ folder: BackupFolder) throws {
        let shown = BackupProgressLine()
        let result = try BackupReader(folder: folder, progress: shown.show).verify(generation)
        shown.end()
        if json {
            try Terminal.json(result)
        } else if result.faults.isEmpty {
            Terminal.line(
                "\(result.generation) is whole: \(result.files) files, \(ByteText.of(result.bytes))"
            )
        }
        try fail(over: result.faults, "of \(result.generation) are missing or damaged")
    }

    private func showList(_ folder: BackupFolder) throws {
        let names = folder.list()
        guard !json else { return try Terminal.json(names) }
        guard !names.isEmpty else { return Terminal.note("No backups.") }
        var table = TextTable([
            ("GENERATION", .left), ("FILES", .right), ("SIZE", .right), ("COMMIT", .right),
        ])
        for name in names {
            guard let found = try? folder.read(name).manifest else {
                table.add([name, "damaged", "", ""])
                continue
            }
            table.add([
                name, String(found.files.count), ByteText.of(found.bytes),
                String(found.head.position),
            ])
        }
        Terminal.line(table.text)
    }

    private func refuseInside(_ folder: String, _ data: String) throws {
        func real(_ path: String) -> String {
            URL(fileURLWithPath: path).resolvingSymlinksInPath().path
        }
        guard real(folder) != real(data), !real(folder).hasPrefix(real(data) + "/") else {
            throw BackupError.insideData(path: folder)
        }
    }

    private func fail(over faults: [BackupManifest.Fault], _ what: String) throws {
        guard !faults.isEmpty else { return }
        for fault in faults.prefix(50) { Terminal.note("  \(fault.path) \(fault.reason)") }
        throw CommandFailure("\(faults.count) files \(what)")
    }
}

struct RestoreCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "restore",
        abstract: "Make a new data folder of a backup.",
        discussion: """
            Example: aloft restore /backup/aloft --data ./aloft-data

            Every file is checked. If one is missing or damaged it is named, and nothing is restored
            unless --partial says so.
            """)

    @Argument(help: ArgumentHelp("A folder that `aloft backup` made.", valueName: "folder"))
    var folder: String

    @Option(help: ArgumentHelp("The new data folder: none yet, or empty.", valueName: "dir"))
    var data: String

    @Option(help: ArgumentHelp("Which backup; the newest if not given.", valueName: "name"))
    var generation: String?

    @Flag(help: "Restore what is whole although other files are missing or damaged.")
    var partial = false

    @Flag(help: "Print JSON.")
    var json = false

    func run() async throws {
        let shown = BackupProgressLine()
        let source = URL(fileURLWithPath: folder).standardizedFileURL.path
        let result = try BackupReader(
            folder: try BackupFolder(path: source, makes: false), progress: shown.show
        ).restore(
            generation, to: URL(fileURLWithPath: data).standardizedFileURL.path,
            isPartial: partial)
        shown.end()
        for fault in result.faults.prefix(50) {
            Terminal.note("not restored: \(fault.path) \(fault.reason)")
        }
        if json { return try Terminal.json(result) }
        Terminal.line(
            "\(data) is as \(result.generation) was: \(result.files - result.faults.count) files, at "
                + "commit \(result.position). Start a server with --data \(data)")
    }
}

/// One line on standard error that says how far a long command is; drawn over on a terminal, else a line
/// now and then.
private final class BackupProgressLine {
    private let isTerminal = isatty(STDERR_FILENO) == 1
    private let clock = ContinuousClock()
    private var last: ContinuousClock.Instant?
    private var isDrawn = false

    func show(_ progress: BackupProgress) {
        let pause: Duration = isTerminal ? .milliseconds(200) : .seconds(10)
        if let last, clock.now - last < pause { return }
        last = clock.now
        let what =
            switch progress.step {
            case .database: "database: \(progress.done) of \(progress.all) pages"
            case .files: "files: \(progress.done) of \(progress.all)"
            case .checking: "checked \(progress.done) of \(progress.all) files"
            case .restoring: "restored \(progress.done) of \(progress.all) files"
            }
        let text = what + (progress.bytes > 0 ? ", " + ByteText.of(progress.bytes) : "")
        isDrawn = isTerminal
        let line = isTerminal ? "\r\u{1B}[2K" + text : text + "\n"
        FileHandle.standardError.write(Data(line.utf8))
    }

    func end() {
        if isDrawn { FileHandle.standardError.write(Data("\r\u{1B}[2K".utf8)) }
    }
}
