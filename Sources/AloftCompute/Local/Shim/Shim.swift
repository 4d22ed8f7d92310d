import AloftDomain
import CProcess
import Foundation

/// The keeper of one attempt: makes its code and packages ready, runs its command, holds it to its
/// limits, ends its whole tree, and writes down how it ended. A process of its own, so that it
/// outlives the server; see `LocalExecutor`.
package struct Shim {
    private let folder: AttemptFolder

    /// - Parameter folder: the attempt's folder, with its order.
    package init(folder: String) { self.folder = AttemptFolder(path: folder) }

    /// Runs the attempt to its end. Returns at once if the attempt has, or ever had, another keeper:
    /// its command is never begun twice.
    ///
    /// - Throws: what keeps it from writing down who it is or how the attempt ended.
    package func run() throws {
        guard let lock = try FileLock(tryingAt: folder.lock) else { return }
        defer { lock.release() }
        guard !FileManager.default.fileExists(atPath: folder.shim),
            !FileManager.default.fileExists(atPath: folder.exit),
            let order = try DurableFile.read(ShimOrder.self, at: folder.order)
        else { return }
        let keeper = try ShimKeeper(folder: folder, order: order)
        // The end must be written also when the disk is full by then.
        ReservedFile.reserve(beside: folder.exit)
        try DurableFile.write(ProcessIdentity(of: getpid()), to: folder.shim)
        let report = keeper.run()
        // It holds the job's token, which ends with the job.
        unlink(folder.order)
        for path in [folder.work, folder.build, folder.home] {
            try? FileManager.default.removeItem(atPath: path)
        }
        keeper.log.finish()
        try ReservedFile.write(report, to: folder.exit)
    }
}
