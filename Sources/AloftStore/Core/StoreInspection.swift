import AloftDomain
import Dispatch
import Foundation
import GRDB

/// Looks at a data folder before its database is opened, without changing it.
package struct StoreInspection: Sendable {
    /// What was looked at.
    package struct Report: Sendable, Equatable {
        /// Absent where the file beside the database is missing, as in folders of earlier versions.
        package var state: StateRecord?
        package var damage: StoreDamage?
        /// The server before did not end in order; so many of so many tables were checked.
        package var checkedTables: (checked: Int, all: Int)?

        package static func == (left: Report, right: Report) -> Bool {
            left.state == right.state && left.damage == right.damage
        }
    }

    private let databasePath: String
    private let statePath: String
    private let folder: String
    /// How long tables are checked at most.
    private let checkTime: Duration

    /// - Parameter folder: the data folder's path.
    package init(folder: String, checkTime: Duration = .seconds(10)) {
        self.folder = folder
        databasePath = DataFolder.databasePath(in: folder)
        statePath = DataFolder.statePath(in: folder)
        self.checkTime = checkTime
    }

    /// - Throws: what keeps it from looking.
    package func run() throws -> Report {
        var report = Report()
        do {
            report.state = try StateFile.read(path: statePath)
        } catch let damage as StoreDamage {
            report.damage = damage
            return report
        }
        let path = databasePath
        guard Self.bytes(of: path) > 0 else {
            report.damage = missing(report.state)
            return report
        }
        do {
            try StatementError.translating { try look(&report) }
        } catch let error as StatementError where error.kind == .damaged {
            report.damage = .unreadable(
                path: path, reason: error.message, lastPosition: report.state?.position)
        } catch let error as UnreadableValue {
            report.damage = .unreadable(
                path: path, reason: error.message, lastPosition: report.state?.position)
        } catch let error as StatementError {
            throw StoreError.unusable(path: path, reason: error.message)
        }
        return report
    }

    private func look(_ report: inout Report) throws {
        var configuration = Configuration()
        // A connection that may not write folds nothing into the file when it closes.
        configuration.readonly = true
        configuration.busyMode = .timeout(10)
        configuration.label = "inspection"
        let queue = try DatabaseQueue(path: databasePath, configuration: configuration)
        defer { try? queue.close() }
        report.damage = try compare(queue, report.state)
        guard report.damage == nil, !isKnownWhole(report.state) else { return }
        let check = try TableCheck(queue: queue, limit: checkTime).run()
        report.checkedTables = (check.checked, check.all)
        if !check.faults.isEmpty {
            report.damage = .unsound(path: databasePath, faults: check.faults)
        }
    }

    /// Its server ended in order, and the file is as long as it was then.
    private func isKnownWhole(_ state: StateRecord?) -> Bool {
        guard let state, state.isClean else { return false }
        return Self.bytes(of: databasePath) == state.bytes
            && Self.bytes(of: databasePath + "-wal") == 0
    }

    private func missing(_ state: StateRecord?) -> StoreDamage? {
        let path = databasePath
        if let state {
            return .gone(path: path, lastPosition: state.position, files: 0)
        }
        let files = countFiles()
        return files == 0 ? nil : .gone(path: path, lastPosition: nil, files: files)
    }

    private func compare(_ queue: DatabaseQueue, _ state: StateRecord?) throws -> StoreDamage? {
        let (ledger, tables) = try queue.read { db in
            (
                try Ledger.read(Transaction(db)),
                try Int.fetchOne(db, sql: "SELECT count(*) FROM sqlite_master") ?? 0
            )
        }
        if tables == 0 { return missing(state) }
        guard let state else { return nil }
        guard let ledger else {
            return .older(path: databasePath, position: 0, lastPosition: state.position)
        }
        if ledger.identity != state.database {
            return .another(
                path: databasePath, identity: ledger.identity, position: ledger.position,
                expected: state)
        }
        guard ledger.position < state.position else { return nil }
        return .older(
            path: databasePath, position: ledger.position, lastPosition: state.position)
    }

    /// Files that only a database can name, up to `StoreDamage.mostCounted`.
    private func countFiles() -> Int {
        let places = ["artifacts/files", "blobs", "predictions"].map { folder + "/" + $0 }
        var count = 0
        for place in places {
            let all = FileManager.default.enumerator(
                at: URL(fileURLWithPath: place), includingPropertiesForKeys: [.isRegularFileKey])
            for case let file as URL in all ?? .init() {
                let facts = try? file.resourceValues(forKeys: [.isRegularFileKey])
                if facts?.isRegularFile == true { count += 1 }
                if count >= StoreDamage.mostCounted { return count }
            }
        }
        return count
    }

    static func bytes(of path: String) -> Int64 {
        var status = stat()
        return stat(path, &status) == 0 ? Int64(status.st_size) : 0
    }
}

/// Checks table after table, for as long as it may.
private struct TableCheck {
    let queue: DatabaseQueue
    let limit: Duration

    /// Sentences of SQLite for one table.
    private static let mostFaults = 3

    func run() throws -> (faults: [String], checked: Int, all: Int) {
        let tables = try queue.read { db in
            try String.fetchAll(
                db,
                sql: """
                    SELECT name FROM sqlite_master WHERE type = 'table' AND rootpage > 0
                    ORDER BY name
                    """)
        }
        let end = ContinuousClock.now + limit
        var faults: [String] = []
        var checked = 0
        for table in tables {
            let left = end - ContinuousClock.now
            guard left > .zero, let found = try check(table, left) else { break }
            checked += 1
            faults += found.map { "table \(table): \($0)" }
        }
        return (faults, checked, tables.count)
    }

    /// `nil` if the time was over.
    private func check(_ table: String, _ left: Duration) throws -> [String]? {
        let (queue, isOver) = (queue, TimedSemaphore())
        DispatchQueue.global().async {
            if !isOver.wait(atMost: left) { queue.interrupt() }
        }
        defer { isOver.signal() }
        do {
            let quoted = "'" + table.replacing(scalar: "'", with: "''") + "'"
            let lines = try queue.read { db in
                try String.fetchAll(db, sql: "PRAGMA quick_check(\(quoted))")
            }
            return lines.filter { $0 != "ok" }.prefix(Self.mostFaults).map {
                $0.replacing(scalar: "\n", with: " ")
            }
        } catch let error as DatabaseError
            where [.SQLITE_INTERRUPT, .SQLITE_ABORT].contains(error.resultCode.primaryResultCode)
        {
            return nil
        } catch let error as DatabaseError
            where error.resultCode.primaryResultCode == .SQLITE_CORRUPT
        {
            return [error.message ?? "malformed"]
        }
    }
}
