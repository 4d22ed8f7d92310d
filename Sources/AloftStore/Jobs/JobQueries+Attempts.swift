package import AloftDomain
package import Foundation

extension JobQueries {
    /// A job's attempts, oldest first.
    package static func attempts(_ db: Transaction, of job: JobID) throws -> [AttemptRecord] {
        try db.rows(
            sql: "SELECT * FROM attempt WHERE job = ? ORDER BY number",
            arguments: [job.rawValue]
        ).map(JobText.attempt)
    }

    /// The GPU slots of every attempt that has not ended.
    package static func heldSlots(_ db: Transaction) throws -> [AttemptID: [String]] {
        let rows = try db.rows(
            sql: """
                SELECT attempt.* FROM attempt JOIN job ON job.id = attempt.job
                WHERE job.state <> 'ended' AND attempt.endedAt IS NULL
                """)
        return Dictionary(
            try rows.map(JobText.attempt).map { ($0.id, $0.gpuSlots) },
            uniquingKeysWith: { first, _ in first })
    }

    /// Notes what an attempt used and which Python environment it had. Doing it again changes
    /// nothing.
    package static func recordUse(
        _ db: Transaction, by attempt: AttemptID, usage: AttemptUsage?, environment: ContentDigest?,
        at now: Date
    ) throws {
        try db.execute(
            sql: """
                UPDATE attempt SET peakMemoryBytes = COALESCE(?, peakMemoryBytes),
                    cpuSeconds = COALESCE(?, cpuSeconds), environment = COALESCE(?, environment)
                WHERE job = ? AND number = ?
                """,
            arguments: [
                usage?.peakMemoryBytes, usage?.cpuSeconds, environment?.hex, attempt.job.rawValue,
                attempt.number,
            ])
        guard let environment else { return }
        try db.execute(
            sql: """
                INSERT INTO environment (digest, firstUsedAt, lastUsedAt) VALUES (?, ?, ?)
                ON CONFLICT (digest) DO UPDATE SET lastUsedAt = excluded.lastUsedAt
                """,
            arguments: [environment.hex, now.stamp, now.stamp])
    }

    /// Gives the job a token of its own in place of the one that an earlier attempt had. Giving it
    /// the same again changes nothing.
    package static func giveToken(
        _ db: Transaction, to job: JobRecord, id: TokenID, secret: String, at now: Date
    ) throws {
        let name = job.id.rawValue
        if try TokenQueries.find(db, secret: secret) != nil { return }
        try TokenQueries.revoke(db, kind: .job, name: name, at: now)
        try TokenQueries.insert(
            db, id: id, name: name, kind: .job, secret: secret, project: job.spec.project, at: now)
    }
}
