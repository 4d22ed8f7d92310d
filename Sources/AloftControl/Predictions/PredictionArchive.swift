import AloftArtifacts
package import AloftDomain
import AloftPredictionLog
package import AloftStore
import Foundation
package import Logging

/// Keeps what gateways logged: records in files by endpoint and day, what each block of a file holds
/// in the database.
///
/// A delivery is acknowledged when its records are on disk and the row that says how far the gateway's
/// segment is taken is committed with the blocks' rows. A delivery that was taken before, or in part,
/// adds only what is new, so each record counts once.
package actor PredictionArchive {
    private let store: Store
    private let files: PredictionFiles
    private let time: TimeSource
    private let logger: Logger
    /// The last delivery that was begun; the next waits for it.
    private var last: Task<Void, Never>?
    private let effects: EffectHook

    private static let fileBytes: Int64 = 64 << 20

    /// - Parameter folder: for the files; made where it is missing.
    package init(
        store: Store, folder: String, time: TimeSource, logger: Logger,
        effects: EffectHook = .none
    ) {
        self.store = store
        files = PredictionFiles(folder: folder)
        self.time = time
        self.logger = logger
        self.effects = effects
    }

    // MARK: - Taking in

    /// Takes a piece of a gateway's log; an empty one only asks.
    ///
    /// - Returns: where the gateway goes on in the segment.
    /// - Throws: `PredictionError.damaged`, `StoreError.diskFull`. Nothing of the delivery counts then.
    package func take(_ delivery: PredictionDelivery) async throws -> Int64 {
        try await alone { try await self.takeAlone(delivery) }
    }

    /// Does what others must not come between: an actor takes the next call up while one waits.
    private func alone<Value: Sendable>(
        _ work: @escaping @Sendable () async throws -> Value
    ) async throws -> Value {
        let earlier = last
        let task = Task {
            await earlier?.value
            return try await work()
        }
        last = Task { _ = await task.result }
        return try await task.value
    }

    private func takeAlone(_ delivery: PredictionDelivery) async throws -> Int64 {
        let (log, segment) = (delivery.log, delivery.segment)
        let taken = try await store.read { db in
            try PredictionQueries.taken(db, log: log, segment: segment)
        }
        guard !delivery.bytes.isEmpty else { return taken }
        var sorter = PredictionSorter()
        let next = try delivery.bytes.withUnsafeBytes {
            try sorter.sort($0, offset: delivery.offset, taken: taken)
        }
        guard next > taken else { return taken }
        let (touched, blocks) = try await write(sorter.groups)
        try effects.willAct("commit a delivery")
        let now = time.now()
        try await store.write(as: .predictions) { db in
            try PredictionQueries.store(
                db, gateway: delivery.gateway, log: log, segment: segment, from: taken, to: next,
                files: touched, blocks: blocks, at: now)
        }
        for endpoint in Set(sorter.groups.map(\.key.endpoint)) {
            store.changed(.prediction, endpoint)
        }
        try effects.willAct("acknowledge a delivery")
        return next
    }

    private struct FileKey: Hashable {
        var endpoint: String
        var day: String
    }

    /// Puts the groups into files. What is written and not committed is written over next time.
    private func write(
        _ groups: [PredictionGroup]
    ) async throws -> ([PredictionFileRecord], [PredictionBlockRecord]) {
        var touched: [PredictionFileRecord] = []
        var blocks: [PredictionBlockRecord] = []
        var lastID = try await store.read { try PredictionQueries.lastFileID($0) }
        let sorted = Dictionary(grouping: groups) { group in
            FileKey(endpoint: group.key.endpoint, day: group.day)
        }
        for (key, groups) in sorted {
            var file = try await openFile(key, &lastID)
            let place = file.bytes
            var bytes = Data()
            for group in groups {
                let block = group.bytes.withUnsafeBytes {
                    PredictionBlock.make($0, group.key.format)
                }
                blocks.append(Self.record(group, of: file, bytes: block.count))
                bytes.append(block)
                file.bytes += Int64(block.count)
                file.records += Int64(group.records)
            }
            try effects.willAct("write a file")
            let (files, target, content) = (files, file, bytes)
            try await BlockingWork.run { try files.write(content, to: target, at: place) }
            touched.append(file)
        }
        return (touched, blocks)
    }

    private func openFile(
        _ key: FileKey, _ lastID: inout Int64
    ) async throws -> PredictionFileRecord {
        let open = try await store.read { db in
            try PredictionQueries.openFile(
                db, endpoint: key.endpoint, day: key.day, limitBytes: Self.fileBytes)
        }
        if let open { return open }
        lastID += 1
        return PredictionFileRecord(
            id: lastID, endpoint: key.endpoint, day: key.day, bytes: 0, records: 0)
    }

    private static func record(
        _ group: PredictionGroup, of file: PredictionFileRecord, bytes: Int
    ) -> PredictionBlockRecord {
        PredictionBlockRecord(
            file: file.id, place: file.bytes, bytes: Int64(bytes), endpoint: group.key.endpoint,
            revision: RevisionID(group.key.revision), incarnation: group.key.incarnation,
            loop: group.key.loop, firstSequence: group.sequences.lowerBound,
            lastSequence: group.sequences.upperBound,
            firstAt: Date(millisecondsSince1970: group.milliseconds.lowerBound),
            lastAt: Date(millisecondsSince1970: group.milliseconds.upperBound),
            records: group.records, errors: group.errors,
            slowestMicroseconds: group.slowestMicroseconds, day: file.day)
    }

    // MARK: - Letting go

    package struct Retention: Sendable, Equatable {
        /// Whole days after which predictions go.
        package var days: Int
        /// What all may take on disk; the oldest go first.
        package var bytes: Int64

        package init(days: Int = 30, bytes: Int64 = 10 << 30) {
            self.days = days
            self.bytes = bytes
        }
    }

    /// Removes what is older than may be kept, and the oldest beyond the limit of size.
    ///
    /// - Returns: the predictions that went.
    @discardableResult
    package func expire(_ retention: Retention) async throws -> Int64 {
        let cutoff = time.now().addingTimeInterval(-86_400 * Double(retention.days))
        let firstDay = String(cutoff.stamp.prefix(10))
        var gone: Int64 = 0
        while !Task.isCancelled {
            let records = try await alone { try await self.expireOne(before: firstDay, retention) }
            guard let records else { break }
            gone += records
        }
        if gone > 0 {
            logger.info("predictions beyond what is kept are gone", metadata: ["count": "\(gone)"])
        }
        return gone
    }

    /// - Returns: the records of the file that went; `nil` where all may stay.
    private func expireOne(before day: String, _ retention: Retention) async throws -> Int64? {
        let (totals, oldest) = try await store.read { db in
            (
                try PredictionQueries.totals(db),
                try PredictionQueries.oldestFiles(db, limit: 1).first
            )
        }
        guard let oldest, oldest.day < day || totals.bytes > retention.bytes else { return nil }
        let now = time.now()
        // The row first: a file without one is only space, a row without its file is a hole.
        try effects.willAct("forget a file")
        try await store.write(as: .predictions) {
            try PredictionQueries.expire($0, oldest, at: now)
        }
        try effects.willAct("remove a file")
        let files = files
        try await BlockingWork.run { try files.remove(oldest) }
        return oldest.records
    }

    private static let pace = ReconcileLoop.Pace(longestWait: .minutes(5))

    /// Lets go every few minutes.
    package func run(_ retention: Retention) async throws {
        let loop = ReconcileLoop(
            name: "predictions", pace: Self.pace, clock: time.clock, logger: logger)
        try await loop.run {
            try await expire(retention)
            return .whenWoken
        }
    }
}
