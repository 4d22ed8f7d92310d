package import AloftDomain
package import Foundation
import Synchronization

/// Keeps "it is there" and "it is removed" apart: whoever was told that a blob is there has the time
/// of `BlobStore.grace` to refer to it.
final class BlobGuard: Sendable {
    let lock = Mutex(())
}

// For freeing space.
extension BlobStore {
    /// How old a blob is at least that may go because nothing refers to it, in seconds.
    package static let grace: TimeInterval = 24 * 3600

    /// The blob's size if it is there; it counts as new from now on, so that it stays until whoever
    /// asks has referred to it.
    package func claim(_ digest: ContentDigest) -> Int64? {
        exclusion.lock.withLock { _ in
            let place = path(of: digest)
            var status = stat()
            guard stat(place, &status) == 0 else { return nil }
            // This changes the file's times, not its bytes.
            let wasChecked = checked.holds(digest, at: place)
            utimensat(AT_FDCWD, place, nil, 0)
            if wasChecked { checked.note(digest, at: place) }
            return Int64(status.st_size)
        }
    }

    /// Blobs that nobody stored or claimed since `moment`.
    package func untouched(since moment: Date) throws -> [Stored] {
        try list().filter { isUntouched($0.digest, since: moment) }
    }

    /// Removes a blob unless somebody stored or claimed it since `moment`.
    package func remove(_ digest: ContentDigest, untouchedSince moment: Date) {
        exclusion.lock.withLock { _ in
            guard isUntouched(digest, since: moment) else { return }
            unlink(path(of: digest))
        }
    }

    /// What was sent in part, and not gone on with since `moment`.
    package func abandonedUploads(before moment: Date) -> [AbandonedUpload] {
        AbandonedUpload.list(in: incoming, before: moment)
    }

    private func isUntouched(_ digest: ContentDigest, since moment: Date) -> Bool {
        var status = stat()
        guard stat(path(of: digest), &status) == 0 else { return false }
        return status.modifiedAt <= moment
    }
}
