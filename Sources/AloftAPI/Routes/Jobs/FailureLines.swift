import AloftControl
import AloftDomain
import AloftStore
import AloftWire
import Synchronization

/// The telling lines of failed jobs, read from their logs once each: what has ended changes no more.
final class FailureLines: Sendable {
    /// Logs that are read for one answer; those of older jobs come with the next.
    private static let mostReads = 20
    private static let mostKept = 5000

    private let logs: JobLogs
    private let known = Mutex<[AttemptID: String]>([:])

    init(logs: JobLogs) { self.logs = logs }

    /// Views of these jobs; a failed command's says with which line its log ended, one that waits has
    /// its place.
    func views(of jobs: [JobRecord], _ places: [JobID: JobQueuePositions.Place]) async -> [JobView]
    {
        var views: [JobView] = []
        var reads = 0
        for job in jobs {
            var view = JobView(job, places[job.id])
            if case .failed(let failure) = job.outcome, failure.hasLog {
                let attempt = AttemptID(job: job.id, number: job.state.attempt)
                if let line = known.withLock({ $0[attempt] }) {
                    view.failure?.lastLine = line.utf8.isEmpty ? nil : line
                } else if reads < Self.mostReads {
                    reads += 1
                    view.failure?.lastLine = await read(attempt)
                }
            }
            views.append(view)
        }
        return views
    }

    /// A log that cannot be read says nothing; the job's own page says why.
    private func read(_ attempt: AttemptID) async -> String? {
        guard let tail = try? await logs.tail(attempt.job, attempt: attempt.number, lines: 40)
        else { return nil }
        let line = TellingLine.of(tail)
        known.withLock { known in
            if known.count >= Self.mostKept { known.removeAll() }
            known[attempt] = line ?? ""
        }
        return line
    }
}

extension JobFailure {
    /// Whether the command's own last words may say more.
    fileprivate var hasLog: Bool {
        switch self {
        case .exited, .signalled: true
        case .outOfMemory, .tooManyProcesses, .tooMuchDisk, .timedOut, .notStarted, .lost: false
        }
    }
}
