import AloftDomain
import CProcess
import Foundation

/// Waits for children, and meanwhile keeps the attempt to its limits and to the order to stop.
final class ChildWatch {
    enum ChildEnd: Equatable {
        case exited(code: Int32)
        case signalled(number: Int32)
    }

    /// The attempt was ended from outside before its command had begun.
    struct Interruption: Error { let end: AttemptEnd }

    private let folder: AttemptFolder
    private let grace: Duration
    private let log: JobLog
    private let signals: Int32
    private let clock = ContinuousClock()
    /// Statuses of children that were reaped.
    private var statuses: [pid_t: Int32] = [:]
    private var wasTerminated = false
    /// Why the tree is being ended, and when what is left of it is killed.
    private var ending: (end: AttemptEnd, killAt: ContinuousClock.Instant)?
    private var commandWatch: CommandWatch?
    /// Whether programs are started in namespaces.
    var isGuarded = false

    init(folder: AttemptFolder, grace: Duration, log: JobLog) throws {
        self.log = log
        self.folder = folder
        self.grace = grace
        let error = aloft_become_subreaper()
        signals = aloft_watch_signals()
        guard error == 0, signals >= 0 else {
            throw ComputeError.cannotStart(reason: "the system refused to watch child processes")
        }
    }

    var peakMemoryBytes: Int64 {
        var usage = rusage()
        getrusage(RUSAGE_CHILDREN.rawValueAsArgument, &usage)
        return max(commandWatch?.peakMemoryBytes ?? 0, Int64(usage.ru_maxrss) * 1024)
    }

    /// Of every descendant that has ended.
    static var childrenCPUSeconds: Double {
        var usage = rusage()
        getrusage(RUSAGE_CHILDREN.rawValueAsArgument, &usage)
        let seconds = Double(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec)
        return seconds + Double(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6
    }

    /// Waits for a child that prepares the attempt.
    ///
    /// - Throws: `Interruption` if the attempt was asked to end meanwhile.
    func wait(for child: pid_t) throws(Interruption) -> ChildEnd {
        let status = waitForStatus(of: child)
        endLeftovers(isLast: false)
        log.drain()
        if let ending { throw Interruption(end: ending.end) }
        return Self.end(of: status)
    }

    /// Pauses, as long as nobody asks the attempt to end.
    func pause(_ length: Duration) throws(Interruption) {
        awaitNews(atMost: length)
        look()
        if let ending { throw Interruption(end: ending.end) }
    }

    /// From now on the attempt is held to its limits.
    func confine(
        by group: (any Confinement)?, resources: Resources, to log: UsageLog, disk: FolderSize
    ) {
        commandWatch = CommandWatch(
            group: group, resources: resources, log: log, disk: disk, begin: clock.now)
    }

    /// Waits for the command and ends whatever it leaves behind.
    func waitForTree(of child: pid_t) -> AttemptEnd {
        let status = waitForStatus(of: child)
        // Who was told to end may take as long as the grace; who was left behind may not.
        while let ending, clock.now < ending.killAt, !Self.tree.isEmpty {
            awaitNews(atMost: min(.milliseconds(50), clock.now.duration(to: ending.killAt)))
            reap()
        }
        let ranOutOfMemory = commandWatch?.group?.ranOutOfMemory ?? false
        endLeftovers()
        if let ending { return ending.end }
        let limit = commandWatch?.resources.memoryBytes
        switch Self.end(of: status) {
        case .exited(code: 0): return .exited(code: 0)
        case _ where ranOutOfMemory: return .failed(.outOfMemory(limitBytes: limit))
        case .exited(let code): return .exited(code: code)
        case .signalled(let number): return .failed(.signalled(number: number))
        }
    }

    private func waitForStatus(of child: pid_t) -> Int32 {
        while true {
            reap()
            if let status = statuses.removeValue(forKey: child) { return status }
            look()
            awaitNews(atMost: pauseLength)
        }
    }

    private var pauseLength: Duration {
        let watch = commandWatch?.pauseLength(now: clock.now) ?? .seconds(1)
        guard let ending else { return watch }
        return min(watch, max(.milliseconds(5), clock.now.duration(to: ending.killAt)))
    }

    /// Looks whether the attempt must end, and goes on with ending it.
    private func look() {
        if let ending {
            if clock.now >= ending.killAt { endLeftovers() }
            return
        }
        if let order = try? DurableFile.read(StopOrder.self, at: folder.stop) {
            begin(ending: .stopped, grace: .seconds(order.graceSeconds))
        } else if wasTerminated {
            begin(
                ending: .interrupted(reason: "the job's keeper was told to end (SIGTERM)"),
                grace: grace)
        } else if let failure = commandWatch?.violation(
            tree: { Self.programs(isGuarded: isGuarded) }, now: clock.now)
        {
            // Who is over its memory or processes gets no time to use more.
            if case .timedOut = failure {
                begin(ending: .failed(failure), grace: grace)
            } else {
                begin(ending: .failed(failure), grace: .zero)
            }
        }
    }

    private func begin(ending end: AttemptEnd, grace: Duration) {
        ending = (end, clock.now + grace)
        if grace == .zero { return endLeftovers() }
        for process in Self.tree {
            kill(process.processID, SIGTERM)
            kill(process.processID, SIGCONT)
        }
    }

    /// Everything below this process: it is the reaper of its orphans, so nobody gets out.
    private static var tree: [ProcessTable.Entry] {
        ProcessTable.read().descendants(of: getpid())
    }

    /// Without the guard of an isolated program and the first process inside, which are ours.
    private static func programs(isGuarded: Bool) -> [ProcessTable.Entry] {
        let tree = tree
        guard isGuarded else { return tree }
        let guards = Set(tree.filter { $0.parent == getpid() }.map(\.processID))
        return tree.filter { !guards.contains($0.processID) && !guards.contains($0.parent) }
    }

    /// Kills the whole tree and waits until it is gone.
    ///
    /// - Parameter isLast: whether nothing of the attempt will be started again.
    private func endLeftovers(isLast: Bool = true) {
        commandWatch?.group?.killAll(isLast: isLast)
        while true {
            // Stopped first, so that none can fork while the others are looked for.
            var known: Set<pid_t> = []
            while true {
                let fresh = Self.tree.filter { known.insert($0.processID).inserted }
                if fresh.isEmpty { break }
                for process in fresh { kill(process.processID, SIGSTOP) }
            }
            for process in known { kill(process, SIGKILL) }
            reap()
            if known.isEmpty { return }
            awaitNews(atMost: .milliseconds(5))
        }
    }

    private func reap() {
        var status: Int32 = 0
        while true {
            let child = waitpid(-1, &status, WNOHANG)
            guard child > 0 else { return }
            statuses[child] = status
        }
    }

    /// Returns when a child ended, a signal came, or the time is over.
    private func awaitNews(atMost length: Duration) {
        var descriptors = [
            pollfd(fd: signals, events: Int16(POLLIN), revents: 0),
            pollfd(fd: log.reader, events: Int16(POLLIN), revents: 0),
        ]
        poll(&descriptors, 2, Int32(max(1, min(60_000, length.seconds * 1000))))
        log.drain()
        var numbers = [UInt8](repeating: 0, count: 64)
        while true {
            let count = read(signals, &numbers, numbers.count)
            guard count > 0 else { return }
            if numbers[..<count].contains(UInt8(SIGTERM)) { wasTerminated = true }
        }
    }

    private static func end(of status: Int32) -> ChildEnd {
        // The low seven bits are the signal, the next byte the exit status; see wait(2).
        let signal = status & 0x7f
        return signal == 0 ? .exited(code: (status >> 8) & 0xff) : .signalled(number: signal)
    }

    /// How much is in the job's log.
    var logSize: Int64 { log.size }

    /// The last lines that were logged since it had this size.
    func logTail(from start: Int64, lines: Int = 12) -> String {
        let data = FileTail.read(folder.log, from: max(start, logSize - 8192), limit: 8192)
        return String(decoding: data, as: UTF8.self)
            .split(separator: "\n").suffix(lines).joined(separator: "\n")
    }
}

extension __rusage_who {
    fileprivate var rawValueAsArgument: __rusage_who_t { __rusage_who_t(rawValue) }
}
