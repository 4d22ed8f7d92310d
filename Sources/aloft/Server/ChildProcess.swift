import Foundation

/// A process in a session of its own, found again by its id and start time.
struct ChildProcess: Codable, Sendable, Equatable {
    let processID: Int32
    /// Clock ticks since the machine started (proc(5), `stat` field 22): tells a process from a later
    /// one with the same id.
    let startTicks: UInt64

    /// POSIX_SPAWN_SETSID of glibc's <spawn.h>, which Swift does not import.
    private static let newSession: Int16 = 0x80

    /// Starts `executable`; its output is appended to the file `log`.
    static func start(
        executable: String, arguments: [String], environment: [String: String], log: String
    ) throws -> ChildProcess {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_addopen(
            &actions, STDOUT_FILENO, log, O_WRONLY | O_CREAT | O_APPEND, 0o600)
        posix_spawn_file_actions_adddup2(&actions, STDOUT_FILENO, STDERR_FILENO)
        // Our own descriptors are opened close-on-exec: the child gets none of them.

        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        posix_spawnattr_setflags(&attributes, newSession)

        let words = ([executable] + arguments).map { strdup($0) } + [nil]
        let variables = environment.map { strdup("\($0.key)=\($0.value)") } + [nil]
        defer { for word in words + variables { free(word) } }
        var processID: pid_t = 0
        let status = posix_spawn(&processID, executable, &actions, &attributes, words, variables)
        guard status == 0 else {
            throw CommandFailure("cannot start \(executable): \(String(cString: strerror(status)))")
        }
        return ChildProcess(processID: processID, startTicks: startTicks(of: processID) ?? 0)
    }

    /// False once it has ended, also while it is a zombie; reaps it if it is a child of ours.
    var isRunning: Bool {
        var status: Int32 = 0
        if waitpid(processID, &status, WNOHANG) == processID { return false }
        guard let stat = Self.stat(of: processID) else { return false }
        return stat.startTicks == startTicks && stat.state != "Z"
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

enum ProgramPath {
    /// The real path of the running program.
    static var current: String {
        (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe"))
            ?? CommandLine.arguments[0]
    }
}
