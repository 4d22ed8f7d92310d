import AloftDomain
import Foundation

/// Samples what the command uses, and sees when it uses too much.
final class CommandWatch {
    let group: (any Confinement)?
    let resources: Resources
    private let log: UsageLog
    private let disk: FolderSize
    private let begin: ContinuousClock.Instant
    private var last: (at: ContinuousClock.Instant, cpuSeconds: Double)
    private(set) var peakMemoryBytes: Int64 = 0
    /// Where no group keeps the limit, the tree is looked at more often.
    private let period: Duration

    init(
        group: (any Confinement)?, resources: Resources, log: UsageLog, disk: FolderSize,
        begin: ContinuousClock.Instant
    ) {
        self.group = group
        self.resources = resources
        self.log = log
        self.disk = disk
        self.begin = begin
        last = (begin, 0)
        let isWatched =
            resources.memoryBytes != nil && group?.limitsMemory != true
            || resources.processes != nil && group?.limitsProcesses != true
        period = isWatched ? .milliseconds(200) : .seconds(1)
    }

    func pauseLength(now: ContinuousClock.Instant) -> Duration {
        guard let limit = resources.timeLimit else { return period }
        return min(period, max(.milliseconds(1), now.duration(to: begin + limit)))
    }

    /// The limit that the command is over, if it is; takes a sample when one is due.
    func violation(
        tree: () -> [ProcessTable.Entry], now: ContinuousClock.Instant
    ) -> JobFailure? {
        if let limit = resources.timeLimit, now >= begin + limit { return .timedOut(limit: limit) }
        guard last.at.duration(to: now) >= period * 0.9 else { return nil }
        if disk.isOverLimit() == true { return .tooMuchDisk(limitBytes: disk.limitBytes) }
        var processes: [ProcessTable.Entry]?
        func walked() -> [ProcessTable.Entry] {
            let found = processes ?? tree()
            processes = found
            return found
        }
        let memory = group?.memoryBytes ?? Self.residentBytes(walked())
        let cpu = group?.cpuSeconds ?? Self.cpuSeconds(walked())
        sample(memory: memory, cpuSeconds: cpu, now: now)
        if let limit = resources.memoryBytes, group?.limitsMemory != true, memory > limit {
            return .outOfMemory(limitBytes: limit)
        }
        if let limit = resources.processes, group?.limitsProcesses != true,
            walked().reduce(0, { $0 + $1.threads }) > limit
        {
            return .tooManyProcesses(limit: limit)
        }
        return nil
    }

    private func sample(memory: Int64, cpuSeconds: Double, now: ContinuousClock.Instant) {
        peakMemoryBytes = max(peakMemoryBytes, memory)
        let elapsed = last.at.duration(to: now).seconds
        // Time of children that ended leaves a walked tree: never less than nothing.
        let cpus = max(0, cpuSeconds - last.cpuSeconds) / max(elapsed, 1e-3)
        last = (now, cpuSeconds)
        log.append(
            UsageSample(
                seconds: begin.duration(to: now).seconds, cpus: cpus, memoryBytes: memory))
    }

    private static func residentBytes(_ processes: [ProcessTable.Entry]) -> Int64 {
        processes.reduce(0) { $0 + $1.residentPages } * Int64(sysconf(Int32(_SC_PAGESIZE)))
    }

    private static func cpuSeconds(_ processes: [ProcessTable.Entry]) -> Double {
        Double(processes.reduce(0) { $0 + $1.cpuTicks }) / Double(sysconf(Int32(_SC_CLK_TCK)))
    }
}

/// The file of samples. Every 600 samples the pause between them doubles, so that it stays small
/// however long the job runs.
final class UsageLog {
    private static let samplesPerPause = 600

    private let path: String
    private var written = 0
    private var lastSeconds = -Double.infinity

    init(path: String) { self.path = path }

    func append(_ sample: UsageSample) {
        // A job that is watched closely is not written down more often than once a second.
        let pause = Double(1 << min(20, written / Self.samplesPerPause)) * 0.8
        guard sample.seconds - lastSeconds >= pause,
            let data = try? JSONEncoder().encode(sample)
        else { return }
        lastSeconds = sample.seconds
        written += 1
        let descriptor = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { return }
        defer { close(descriptor) }
        let line = data + Data("\n".utf8)
        _ = line.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
    }

    static func read(_ path: String) -> [UsageSample] {
        let data = FileManager.default.contents(atPath: path) ?? Data()
        // The last line may be half written.
        return data.split(separator: UInt8(ascii: "\n")).compactMap {
            try? JSONDecoder().decode(UsageSample.self, from: $0)
        }
    }
}
