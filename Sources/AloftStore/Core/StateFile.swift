import AloftDomain
import Foundation
import Synchronization

/// What was last known of a database, as the file beside it says.
package struct StateRecord: Sendable, Equatable, Codable {
    /// See `Ledger`.
    package var database: String
    package var position: Int64
    /// The last migration.
    package var schema: String
    /// The database was closed in order: all of it is in its file, which has `bytes`.
    package var isClean = false
    package var bytes: Int64 = 0

    package init(database: String, position: Int64, schema: String) {
        self.database = database
        self.position = position
        self.schema = schema
    }
}

/// `aloft.state`, beside the database: its identity and the last commit that was acknowledged, so that
/// a database which was lost, cut or put back from an old copy is not taken for a good one.
///
/// Two lines of 512 bytes. The first is written before a commit is acknowledged and not synced: it
/// outlives the process. The second is synced, at start, now and then, and at the end: it outlives a
/// power cut. A commit is synced before it is written here, so the file never knows more than a disk
/// that keeps its word.
package final class StateFile: Sendable {
    private struct State {
        /// -1 once it is closed.
        var descriptor: Int32
        var record: StateRecord
        var line: StateLine
        var unsynced = 0
    }

    static let lineBytes = StateLine.length
    /// Commits after which the second line follows the first.
    private static let syncEvery = 4096

    private let path: String
    private let state: Mutex<State>

    /// Writes the file anew, durably: beside what was there, or over it where the disk is full.
    package init(path: String, record: StateRecord) throws {
        self.path = path
        let line = StateLine(record)
        let beside = path + ".part"
        var descriptor = open(beside, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        var number = Self.failure(writing: line.bytes, descriptor)
        if number == 0, rename(beside, path) != 0 { number = errno }
        if number == ENOSPC || number == EDQUOT {
            if descriptor >= 0 { close(descriptor) }
            descriptor = open(path, O_RDWR | O_CLOEXEC)
            if descriptor >= 0 { number = Self.failure(writing: line.bytes, descriptor) }
        }
        guard number == 0 else {
            if descriptor >= 0 { close(descriptor) }
            unlink(beside)
            if number == ENOSPC || number == EDQUOT { throw StoreError.diskFull }
            throw StoreError.unusable(path: path, reason: String(cString: strerror(number)))
        }
        Self.syncFolder(of: path)
        state = Mutex(State(descriptor: descriptor, record: record, line: line))
    }

    private static func failure(writing line: [UInt8], _ descriptor: Int32) -> Int32 {
        guard descriptor >= 0, write(line, descriptor, 0), write(line, descriptor, lineBytes),
            fsync(descriptor) == 0
        else { return errno == 0 ? EIO : errno }
        return 0
    }

    deinit { state.withLock { if $0.descriptor >= 0 { close($0.descriptor) } } }

    /// What the file says; `nil` where there is none.
    ///
    /// - Throws: `StoreDamage.stateUnreadable` if neither line is whole.
    package static func read(path: String) throws -> StateRecord? {
        guard let data = FileManager.default.contents(atPath: path) else {
            guard access(path, F_OK) != 0 else { throw StoreDamage.stateUnreadable(path: path) }
            return nil
        }
        let lines = [data.prefix(lineBytes), data.dropFirst(lineBytes).prefix(lineBytes)]
        let records = lines.compactMap { StateLine.record(of: Data($0)) }
        guard let newest = records.max(by: { $0.position < $1.position }) else {
            throw StoreDamage.stateUnreadable(path: path)
        }
        // Both lines say so after an orderly end; one alone is from before.
        var result = newest
        result.isClean = records.count == 2 && records[0] == records[1] && newest.isClean
        return result
    }

    /// Notes a commit. Call it before the commit is acknowledged.
    package func committed(_ position: Int64) {
        state.withLock { state in
            guard state.descriptor >= 0, position > state.record.position else { return }
            state.record.position = position
            // One that cannot be written leaves the file behind the database, which is no fault.
            state.line.set(position: position)
            _ = Self.write(state.line.bytes, state.descriptor, 0)
            state.unsynced += 1
            guard state.unsynced >= Self.syncEvery else { return }
            state.unsynced = 0
            _ = Self.write(state.line.bytes, state.descriptor, Self.lineBytes)
            fdatasync(state.descriptor)
        }
    }

    /// Notes the end, durably: the whole database is in its file of so many bytes, or not.
    package func end(isClean: Bool, bytes: Int64) {
        state.withLock { state in
            guard state.descriptor >= 0 else { return }
            state.record.isClean = isClean
            state.record.bytes = bytes
            let line = StateLine(state.record).bytes
            _ = Self.write(line, state.descriptor, 0)
            _ = Self.write(line, state.descriptor, Self.lineBytes)
            fdatasync(state.descriptor)
            close(state.descriptor)
            state.descriptor = -1
        }
    }

    private static func write(_ line: [UInt8], _ descriptor: Int32, _ place: Int) -> Bool {
        line.withUnsafeBytes { pwrite(descriptor, $0.baseAddress, $0.count, off_t(place)) }
            == line.count
    }

    private static func syncFolder(of path: String) {
        let folder = URL(fileURLWithPath: path).deletingLastPathComponent().path
        let descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { return }
        fsync(descriptor)
        close(descriptor)
    }
}
