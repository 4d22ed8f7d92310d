import AloftDomain
import Foundation

/// Which files of a data folder a backup holds beside the database.
///
/// Left out: secrets that are made anew (`jobs/token.key`, `gateway/token`), what can be built or
/// fetched again (Python environments, a gateway's models), what belongs to this machine (process
/// numbers, locks, work folders of jobs), uploads that did not end.
struct BackupSources {
    let data: String

    private static let folders = ["artifacts/files", "blobs", "predictions", "jobs"]
    /// In `jobs`, but for what a job keeps in its checkpoints: what only means something here and now, or
    /// holds a job's token.
    private static let notOfJobs: Set = [
        "work", "build", "home", "lock", "order.json", "shim.json", "started.json", "stop.json",
        "token.key",
    ]
    private static let notOfBlobs: Set = ["incoming", "damaged"]

    /// Relative paths, sorted.
    func list() -> [String] {
        var found: [String] = []
        for folder in Self.folders { walk(folder, into: &found) }
        return found.sorted()
    }

    private func walk(_ folder: String, into found: inout [String]) {
        var open = [folder]
        while let next = open.popLast() {
            let names = (try? FileManager.default.contentsOfDirectory(atPath: data + "/" + next))
            for name in names ?? [] where !isLeftOut(name, in: next) {
                let path = next + "/" + name
                var status = stat()
                // Links are not followed: artifacts are files.
                guard lstat(data + "/" + path, &status) == 0 else { continue }
                switch status.st_mode & S_IFMT {
                case S_IFDIR: open.append(path)
                case S_IFREG: found.append(path)
                default: continue
                }
            }
        }
    }

    private func isLeftOut(_ name: String, in folder: String) -> Bool {
        let parts = folder.pieces(at: "/")
        switch parts.first {
        case "jobs":
            // jobs/<job>/checkpoints/…
            return !(parts.count > 2 && parts[2] == "checkpoints")
                && (Self.notOfJobs.contains(name) || name.ends(with: ".part"))
        case "blobs": return Self.notOfBlobs.contains(name)
        default: return false
        }
    }
}
