import Foundation

/// What the runtime writes when the program traps: addresses and the files they are in, to a file. Names
/// of functions are left out: finding them takes minutes on the release program, and as long the dying
/// process holds its sockets. `llvm-symbolizer` finds them afterwards.
struct CrashReports: Sendable {
    static let variable = "SWIFT_BACKTRACE"
    /// How many reports are kept.
    private static let kept = 10

    let folder: String

    init(folder: String) { self.folder = folder }

    /// The value of `variable`; `nil` where the folder's name cannot stand in it.
    var setting: String? {
        guard !folder.utf8.contains(where: { [0x2C, 0x3D, 0x20].contains($0) }) else { return nil }
        return [
            "interactive=no", "color=no", "symbolicate=off", "threads=crashed", "limit=64",
            "registers=none", "images=mentioned", "output-to=\(folder)",
        ].joined(separator: ",")
    }

    /// Makes the folder and forgets the oldest reports.
    func prepare() {
        try? FileManager.default.createDirectory(
            atPath: folder, withIntermediateDirectories: true,
            attributes: [.posixPermissions: 0o700])
        let dated = names.compactMap { name -> (name: String, date: Date)? in
            let facts = try? FileManager.default.attributesOfItem(atPath: folder + "/" + name)
            guard let date = facts?[.modificationDate] as? Date else { return nil }
            return (name, date)
        }
        for old in dated.sorted(by: { $0.date > $1.date }).dropFirst(Self.kept) {
            unlink(folder + "/" + old.name)
        }
    }

    /// Whether process `processID` has begun to write a report, which it does when it crashes.
    func hasReport(of processID: Int32) -> Bool { names.contains { isReport($0, of: processID) } }

    /// Takes a report of an earlier process with the same id away from under its name.
    func setAside(_ processID: Int32) {
        for name in names where isReport(name, of: processID) {
            rename("\(folder)/\(name)", "\(folder)/earlier.\(name)")
        }
    }

    private func isReport(_ name: String, of processID: Int32) -> Bool {
        !name.hasPrefix("earlier.") && name.contains("-\(processID)-")
    }

    private var names: [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? [])
            .filter { $0.hasSuffix(".log") }
    }

    /// Starts this program anew in this process with `variable` set, unless somebody has set it: the
    /// runtime reads it before the first line of ours runs. Returns in the new start, or where it
    /// cannot be done; children do not get the variable.
    func beginAgain() {
        prepare()
        guard let setting else { return }
        if let value = getenv(Self.variable) {
            if String(cString: value) == setting { unsetenv(Self.variable) }
            return
        }
        setenv(Self.variable, setting, 1)
        var words: [UnsafeMutablePointer<CChar>?] = CommandLine.arguments.map { strdup($0) }
        words.append(nil)
        execv(ProgramPath.current, words)
        unsetenv(Self.variable)
        for word in words { free(word) }
    }
}
