import CProcess

/// What an attempt's folders take on disk, measured again and again without taking more than a
/// fiftieth of the time.
final class FolderSize {
    private static let shortestPause = Duration.seconds(2)

    private let folders: [String]
    let limitBytes: Int64
    private let clock = ContinuousClock()
    private var next: ContinuousClock.Instant

    init(folders: [String], limitBytes: Int64) {
        self.folders = folders
        self.limitBytes = limitBytes
        next = clock.now
    }

    /// Whether they are over the limit; `nil` where it is not time to look.
    func isOverLimit() -> Bool? {
        guard clock.now >= next else { return nil }
        let begin = clock.now
        var bytes: Int64 = 0
        for folder in folders where bytes <= limitBytes {
            bytes += Self.bytes(of: folder, upTo: limitBytes)
        }
        next = clock.now + max(Self.shortestPause, begin.duration(to: clock.now) * 50)
        return bytes > limitBytes
    }

    /// What the blocks of a folder's files take, or a little more than `limit`.
    static func bytes(of folder: String, upTo limit: Int64) -> Int64 {
        Int64(clamping: aloft_folder_bytes(folder, UInt64(max(0, limit))))
    }
}
