import AloftClient
import AloftDomain
import AloftWire
import Foundation

/// How the job commands show jobs.
enum JobOutput {
    /// `running`, or how it ended.
    static func status(_ job: JobView) -> String {
        guard let outcome = job.outcome else { return job.state }
        guard let failure = job.failure else { return outcome }
        return failure.code == "exited" ? outcome : "\(outcome): \(failure.code)"
    }

    static func age(_ stamp: String?, until end: String? = nil) -> String {
        guard let begin = stamp.flatMap(date) else { return "" }
        let seconds = Int((end.flatMap(date) ?? .now).timeIntervalSince(begin).rounded())
        switch max(0, seconds) {
        case ..<120: return "\(max(0, seconds))s"
        case ..<7200: return "\(seconds / 60)m"
        case ..<172_800: return "\(seconds / 3600)h"
        default: return "\(seconds / 86_400)d"
        }
    }

    private static func date(_ stamp: String) -> Date? {
        try? Date(stamp, strategy: Date.ISO8601FormatStyle(includingFractionalSeconds: true))
    }

    static func table(_ jobs: [JobView]) -> String {
        var table = TextTable([
            ("JOB", .left), ("PROJECT", .left), ("NAME", .left), ("STATUS", .left),
            ("CPUS", .right), ("AGE", .right), ("RAN", .right), ("PARAMETERS", .left),
            ("WAITS FOR", .left),
        ])
        for job in jobs {
            let parameters = job.parameters.sorted { $0.key < $1.key }
                .map { "\($0.key)=\($0.value)" }.joined(separator: " ")
            table.add([
                String(job.id.rawValue.prefix(8)), job.project.rawValue, job.name, status(job),
                job.cpus.formatted(), age(job.createdAt),
                age(job.startedAt, until: job.endedAt), String(parameters.prefix(80)),
                waits(job),
            ])
        }
        return table.text
    }

    /// `2 of 5 in line: it asks for 4 processor cores, and 1 of 8 are free`; empty for one that does not
    /// wait.
    static func waits(_ job: JobView) -> String {
        guard job.state == "queued", let place = job.place else { return "" }
        return "\(place) of \(job.waiting ?? place) in line: \(job.waitsFor ?? "")"
    }

    /// Says why a job has not begun, if that is something else than was said before.
    ///
    /// - Returns: what was said.
    static func sayWait(
        _ job: String, with client: ServerClient, after said: String
    ) async throws -> String {
        let view = try await client.call(GetJob.self, path: ["job": job]).job
        let text = waits(view)
        if !text.isEmpty, text != said { Terminal.note("job \(short(view)) waits, \(text)") }
        return text.isEmpty ? said : text
    }

    /// Prints a job's log to its end, waiting for more while it runs.
    static func follow(_ job: String, with client: ServerClient) async throws {
        var (offset, attempt) = (Int64(0), 0)
        var said = ""
        while true {
            if offset == 0 {
                // Why it waits is a remark: the log matters.
                said = (try? await sayWait(job, with: client, after: said)) ?? said
            }
            let reply: GetJobLog.Reply
            do {
                reply = try await client.call(
                    GetJobLog.self, path: ["job": job],
                    query: [
                        "offset": "\(offset)", "attempt": "\(attempt)",
                        "wait": offset == 0 ? "5" : "20",
                    ], timeout: .seconds(60))
            } catch let error as ClientError where error.isTransient && offset > 0 {
                // The server is being started again; the job goes on meanwhile.
                try await Task.sleep(for: .seconds(1))
                continue
            }
            attempt = reply.attempt
            offset = reply.nextOffset
            Terminal.text(reply.text)
            if reply.isComplete { return }
        }
    }

    /// Waits for the end, and fails as the job did.
    static func waitForEnd(_ job: JobView, with client: ServerClient, printsJSON: Bool) async throws
    {
        while true {
            let reply: GetJob.Reply
            do {
                reply = try await client.call(
                    GetJob.self, path: ["job": job.id.rawValue], query: ["wait": "20"],
                    timeout: .seconds(60))
            } catch let error as ClientError where error.isTransient {
                try await Task.sleep(for: .seconds(1))
                continue
            }
            guard let outcome = reply.job.outcome else { continue }
            if printsJSON { try Terminal.json(reply) }
            guard outcome != "succeeded" else {
                if !printsJSON {
                    let made = reply.registered.map { " and registered \($0.model)/\($0.version)" }
                    let isolation = reply.job.isolation.map { " (isolation: \($0))" }
                    Terminal.line(
                        "job \(short(job)) \(outcome)\(made ?? "")\(isolation ?? "")")
                }
                return
            }
            var message = "job \(short(job)) \(outcome)"
            if let failure = reply.job.failure { message += ": \(failure.message)" }
            if let isolation = reply.job.isolation { message += " (isolation: \(isolation))" }
            if let lines = reply.lastLines, !lines.isEmpty {
                message += "\nThe last lines of its log:\n"
                message += lines.split(separator: "\n", omittingEmptySubsequences: false)
                    .map { "  | \($0)" }.joined(separator: "\n")
            }
            throw CommandFailure(message)
        }
    }

    static func short(_ job: JobView) -> String { String(job.id.rawValue.prefix(8)) }
}
