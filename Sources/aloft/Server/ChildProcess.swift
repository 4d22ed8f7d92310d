import AloftProcess
import CoreFoundation
import Foundation

/// A process in a session of its own, found again by its id and start time.
struct ChildProcess: Codable, Sendable, Equatable {
    let processID: Int32
    /// Clock ticks since the machine started (proc(5), `stat` field 22): tells a process from a later
    /// one with the same id.
    let startTicks: UInt64

    /// Starts `executable`; its output is appended to the file `log`.
    static func start(
        executable: String, arguments: [String], environment: [String: String], log: String
    ) throws -> ChildProcess {
        let processID = try Spawn(
            executable: executable, arguments: arguments, variables: environment, output: log
        ).start()
        return ChildProcess(processID: processID, startTicks: startTicks(of: processID) ?? 0)
    }

    /// False once it has ended, also while it is a zombie; reaps it if it is a child of ours.
    var isRunning: Bool {
        var status: Int32 = 0
        if waitpid(processID, &status, WNOHANG) == processID { return false }
        guard let stat = Self.stat(of: processID) else { return false }
        return stat.startTicks == startTicks && stat.state != "Z"
    }

    /// Whether it runs the very file that this process runs; a program that was replaced is another
    /// file, also under the same path.
    var runsThisProgram: Bool {
        guard let own = FileIdentity("/proc/self/exe"),
            let other = FileIdentity("/proc/\(processID)/exe")
        else { return false }
        return own == other
    }

    func signal(_ number: Int32) {
        guard isRunning else { return }
        kill(processID, number)
    }

    private static func startTicks(of processID: pid_t) -> UInt64? {
        stat(of: processID)?.startTicks
    }

    private static func stat(of processID: pid_t) -> (state: Substring, startTicks: UInt64)? {
        guard let text = try? String(contentsOfFile: "/proc/\(processID)/stat", encoding: .utf8),
            let end = text.lastIndex(of: ")")
        else { return nil }
        // After the name in brackets come the state (field 3) and so on to the start time (22).
        let fields = text[text.index(after: end)...].split(separator: " ")
        guard fields.count > 19, let ticks = UInt64(fields[19]) else { return nil }
        return (fields[0], ticks)
    }
}

/// Which file stands behind a path, links followed.
struct FileIdentity: Codable, Equatable {
    private let device: UInt
    private let inode: UInt

    static var ofThisProgram: FileIdentity? { FileIdentity("/proc/self/exe") }

    init?(_ path: String) {
        var facts = stat()
        guard stat(path, &facts) == 0 else { return nil }
        device = UInt(facts.st_dev)
        inode = UInt(facts.st_ino)
    }
}

enum ProgramPath {
    /// The real path of the running program.
    static var current: String {
        (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe"))
            ?? CommandLine.arguments[0]
    }
}
