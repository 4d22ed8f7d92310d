package import AloftDomain
package import Foundation

/// The index of predictions. The records themselves are in files (`PredictionArchive`).
package enum PredictionQueries {
    // MARK: - Taking in

    /// How many bytes of a gateway's segment are stored already.
    package static func taken(_ db: Transaction, log: String, segment: Int64) throws -> Int64 {
        try db.value(
            of: Int64.self, sql: "SELECT taken FROM predictionStream WHERE log = ? AND segment = ?",
            arguments: [log, segment]) ?? 0
    }

    /// Notes blocks that are on disk, the files' new lengths, and how far the segment is taken, in
    /// one transaction.
    ///
    /// - Throws: `StalePlan` if somebody took a part of the segment meanwhile.
    package static func store(
        _ db: Transaction, gateway: GatewayID, log: String, segment: Int64, from: Int64, to: Int64,
        files: [PredictionFileRecord], blocks: [PredictionBlockRecord], at now: Date
    ) throws {
        guard try taken(db, log: log, segment: segment) == from else { throw StalePlan() }
        let records = blocks.reduce(0) { $0 + $1.records }
        try db.perform(
            """
            INSERT INTO predictionStream (log, segment, gateway, taken, records, at)
            VALUES (:log, :segment, :gateway, :taken, :records, :now)
            ON CONFLICT (log, segment) DO UPDATE SET taken = :taken,
                records = predictionStream.records + :records, at = :now
            """,
            [
                "log": log, "segment": segment, "gateway": gateway.rawValue, "taken": to,
                "records": records, "now": now.stamp,
            ])
        for file in files {
            try db.perform(
                """
                INSERT INTO predictionFile (id, endpoint, day, bytes, records)
                VALUES (?, ?, ?, ?, ?)
                ON CONFLICT (id) DO UPDATE SET bytes = excluded.bytes, records = excluded.records
                """, [file.id, file.endpoint, file.day, file.bytes, file.records])
        }
        for block in blocks { try insert(db, block) }
    }

    private static func insert(_ db: Transaction, _ block: PredictionBlockRecord) throws {
        try db.perform(
            """
            INSERT INTO predictionBlock (file, place, bytes, endpoint, revision, incarnation, loop,
                firstSequence, lastSequence, firstAt, lastAt, records, errors, slowestMicroseconds)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            """,
            [
                block.file, block.place, block.bytes, block.endpoint, block.revision.rawValue,
                PredictionID.hexadecimal(block.incarnation, 16), Int64(block.loop),
                Int64(clamping: block.firstSequence), Int64(clamping: block.lastSequence),
                block.firstAt.stamp, block.lastAt.stamp, block.records, block.errors,
                block.slowestMicroseconds,
            ])
    }

    /// The file that an endpoint's predictions of a day go to: the newest, if it is shorter than
    /// `limitBytes`.
    package static func openFile(
        _ db: Transaction, endpoint: String, day: String, limitBytes: Int64
    ) throws -> PredictionFileRecord? {
        try db.row(
            sql: """
                SELECT * FROM predictionFile WHERE day = ? AND endpoint = ?
                ORDER BY id DESC LIMIT 1
                """, arguments: [day, endpoint]
        ).map(file).flatMap { $0.bytes < limitBytes ? $0 : nil }
    }

    package static func lastFileID(_ db: Transaction) throws -> Int64 {
        try db.value(of: Int64.self, sql: "SELECT max(id) FROM predictionFile") ?? 0
    }

    // MARK: - Looking up

    /// Which of these files there still are.
    package static func known(_ db: Transaction, files: Set<Int64>) throws -> Set<Int64> {
        try Set(
            files.filter { file in
                try db.value(
                    of: Int.self, sql: "SELECT 1 FROM predictionFile WHERE id = ?",
                    arguments: [file]) != nil
            })
    }

    /// The blocks in which a prediction may be; usually one.
    package static func candidates(
        _ db: Transaction, _ id: PredictionID
    ) throws -> [PredictionBlockRecord] {
        let sequence = Int64(clamping: id.sequence)
        return try db.rows(
            sql: select + """
                 WHERE b.incarnation = ? AND b.loop = ? AND b.firstSequence <= ?
                    AND b.lastSequence >= ? ORDER BY b.firstSequence DESC LIMIT 64
                """,
            arguments: [
                PredictionID.hexadecimal(id.incarnation, 16), Int64(id.loop), sequence, sequence,
            ]
        ).map(block)
    }

    /// What a list of predictions is narrowed to.
    package struct Filter: Sendable, Equatable {
        package var endpoint: String?
        package var revision: RevisionID?
        package var hasErrors = false
        package var slowerThanMicroseconds: Int?
        /// Not before this.
        package var since: Date?

        package init(
            endpoint: String? = nil, revision: RevisionID? = nil, hasErrors: Bool = false,
            slowerThanMicroseconds: Int? = nil, since: Date? = nil
        ) {
            self.endpoint = endpoint
            self.revision = revision
            self.hasErrors = hasErrors
            self.slowerThanMicroseconds = slowerThanMicroseconds
            self.since = since
        }
    }

    /// Blocks that hold predictions at or before `until`, the one that ends last first; after
    /// `earlier` in that order. A block spans less than a minute, so nothing older is looked at.
    package static func blocks(
        _ db: Transaction, _ filter: Filter, until: Date?, after earlier: PredictionBlockRecord?,
        limit: Int
    ) throws -> [PredictionBlockRecord] {
        var conditions: [String] = []
        var values: [SQLValue] = []
        func narrow(_ condition: String, _ bound: any SQLWritable...) {
            conditions.append(condition)
            values += bound.map(\.sqlValue)
        }
        if let endpoint = filter.endpoint { narrow("b.endpoint = ?", endpoint) }
        if let revision = filter.revision { narrow("b.revision = ?", revision.rawValue) }
        if filter.hasErrors { conditions.append("b.errors > 0") }
        if let slow = filter.slowerThanMicroseconds {
            narrow("b.slowestMicroseconds >= ?", slow)
        }
        if let since = filter.since { narrow("b.lastAt >= ?", since.stamp) }
        if let until {
            narrow("b.lastAt < ?", until.addingTimeInterval(60).stamp)
            narrow("b.firstAt <= ?", until.stamp)
        }
        if let earlier {
            narrow("(b.lastAt, b.id) < (?, ?)", earlier.lastAt.stamp, earlier.id)
        }
        let restriction =
            conditions.isEmpty ? "" : " WHERE " + conditions.joined(separator: " AND ")
        values.append(limit.sqlValue)
        return try db.rows(
            sql: select + restriction + " ORDER BY b.lastAt DESC, b.id DESC LIMIT ?",
            arguments: Bindings(values)
        ).map(block)
    }

    // MARK: - Letting go

    package static func totals(_ db: Transaction) throws -> PredictionTotals {
        var totals = PredictionTotals()
        if let row = try db.firstRow(
            """
            SELECT coalesce(sum(records), 0) AS records, coalesce(sum(bytes), 0) AS bytes,
                min(day) AS day
            FROM predictionFile
            """)
        {
            totals.records = try row["records"]
            totals.bytes = try row["bytes"]
            totals.oldestDay = try row["day"]
        }
        if let row = try db.firstRow("SELECT records, bytes FROM predictionExpiry WHERE id = 1") {
            totals.expiredRecords = try row["records"]
            totals.expiredBytes = try row["bytes"]
        }
        return totals
    }

    /// Files of the oldest days, oldest first.
    package static func oldestFiles(
        _ db: Transaction, limit: Int
    ) throws -> [PredictionFileRecord] {
        try db.rows(
            sql: "SELECT * FROM predictionFile ORDER BY day, id LIMIT ?", arguments: [limit]
        ).map(file)
    }

    /// Forgets a file and counts what was in it. Doing it again changes nothing.
    package static func expire(
        _ db: Transaction, _ file: PredictionFileRecord, at now: Date
    ) throws {
        try db.perform("DELETE FROM predictionFile WHERE id = ?", [file.id])
        guard db.changesCount == 1 else { return }
        try db.perform(
            """
            UPDATE predictionExpiry SET records = records + ?, bytes = bytes + ?, at = ?
            WHERE id = 1
            """, [file.records, file.bytes, now.stamp])
    }

    // MARK: - Rows

    private static let select = """
        SELECT b.*, f.day FROM predictionBlock b JOIN predictionFile f ON f.id = b.file
        """

    private static func file(_ row: RowReader) throws -> PredictionFileRecord {
        try PredictionFileRecord(
            id: row["id"], endpoint: row["endpoint"], day: row["day"], bytes: row["bytes"],
            records: row["records"])
    }

    private static func block(_ row: RowReader) throws -> PredictionBlockRecord {
        let (loop, first, last): (Int64, Int64, Int64) = (
            try row["loop"], try row["firstSequence"], try row["lastSequence"]
        )
        guard let incarnation = UInt64(try row["incarnation"] as String, radix: 16) else {
            throw row.unreadable("incarnation")
        }
        return try PredictionBlockRecord(
            file: row["file"], place: row["place"], bytes: row["bytes"], endpoint: row["endpoint"],
            revision: RevisionID(row["revision"]),
            incarnation: incarnation,
            loop: UInt8(truncatingIfNeeded: loop), firstSequence: UInt64(clamping: first),
            lastSequence: UInt64(clamping: last),
            firstAt: row.date("firstAt"), lastAt: row.date("lastAt"), records: row["records"],
            errors: row["errors"], slowestMicroseconds: row["slowestMicroseconds"],
            day: row["day"], id: row["id"])
    }
}
