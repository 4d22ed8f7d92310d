import Foundation

/// The file that a model's workers write to. They only ever append, so it can be emptied under them.
enum WorkerLog {
    /// Beyond this the file is moved to `NAME.1`, in the place of what was there.
    static let limitBytes = 16 << 20

    /// Keeps a model that writes without end from filling the disk. A line that is written in the same
    /// moment may be lost.
    static func trim(_ path: String, limitBytes: Int = limitBytes) {
        var facts = stat()
        guard stat(path, &facts) == 0, Int(clamping: facts.st_size) > limitBytes else { return }
        let earlier = path + ".1"
        unlink(earlier)
        guard (try? FileManager.default.copyItem(atPath: path, toPath: earlier)) != nil else {
            return
        }
        truncate(path, 0)
    }
}
