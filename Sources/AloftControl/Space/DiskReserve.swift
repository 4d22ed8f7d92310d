import Foundation
package import Logging
import Synchronization

/// Room on the disk that is kept for the hour when there is no other: what stops, deletes and frees
/// gets it then. A file of the data folder, removed when it is needed and made again when there is
/// room.
package final class DiskReserve: Sendable {
    /// With less free than this the disk counts as full.
    static let fullBelow: Int64 = 4 << 20
    /// Made again only where so many times its size are free.
    private static let roomFactor: Int64 = 3
    private static let pace = ReconcileLoop.Pace(longestWait: .seconds(5))

    private let path: String
    private let folder: String
    private let bytes: Int64
    private let clock: any Clock<Duration>
    private let lock = Mutex(())

    /// - Parameter bytes: less on a small disk, at most a sixteenth of it.
    package init(folder: String, bytes: Int64 = 32 << 20, clock: any Clock<Duration>) {
        self.folder = folder
        path = folder + "/reserve"
        var facts = statvfs()
        let disk =
            statvfs(folder, &facts) == 0 ? Int64(facts.f_blocks) * Int64(facts.f_frsize) : bytes
        self.bytes = min(bytes, disk / 16)
        self.clock = clock
    }

    /// Makes it whenever it is not there and there is room.
    package func run(logger: Logger) async throws {
        let loop = ReconcileLoop(name: "reserve", pace: Self.pace, clock: clock, logger: logger)
        try await loop.run {
            keep()
            return .whenWoken
        }
    }

    /// Makes it if it is not there and there is room. A second call does nothing.
    package func keep() {
        lock.withLock { _ in
            guard held < bytes, let free, free > bytes * Self.roomFactor else { return }
            let file = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)
            guard file >= 0 else { return }
            defer { close(file) }
            if posix_fallocate(file, 0, off_t(bytes)) != 0 { unlink(path) }
        }
    }

    /// Gives it up if the disk is full.
    ///
    /// - Returns: whether it was.
    @discardableResult
    package func releaseIfFull() -> Bool {
        lock.withLock { _ in
            guard held > 0, let free, free < Self.fullBelow else { return false }
            return unlink(path) == 0
        }
    }

    /// What it takes on the disk now.
    package var held: Int64 {
        var facts = stat()
        return stat(path, &facts) == 0 ? Int64(facts.st_blocks) * 512 : 0
    }

    private var free: Int64? {
        var facts = statvfs()
        guard statvfs(folder, &facts) == 0 else { return nil }
        return Int64(facts.f_bavail) * Int64(facts.f_frsize)
    }
}
