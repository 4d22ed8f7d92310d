package import AloftDomain
import Crypto
import Dispatch
package import Foundation
import Synchronization

/// Which file was checked, so that it is read once and not for each reader. A write changes the time
/// of change, which nobody can set back.
private struct Seal: Equatable {
    let inode: UInt64
    let size: Int64
    let seconds: Int
    let nanoseconds: Int

    init?(_ path: String) {
        var status = stat()
        guard stat(path, &status) == 0 else { return nil }
        inode = UInt64(status.st_ino)
        size = Int64(status.st_size)
        seconds = status.st_ctim.tv_sec
        nanoseconds = status.st_ctim.tv_nsec
    }
}

/// The files that were checked lately.
final class CheckedBlobs: Sendable {
    private struct Entry {
        let seal: Seal
        let at: UInt64
    }

    /// A disk may lose a bit without anybody writing: after this a file is read again.
    private static let lifetimeNanoseconds: UInt64 = 3_600_000_000_000
    private static let mostEntries = 50_000

    private let entries = Mutex<[ContentDigest: Entry]>([:])

    func holds(_ digest: ContentDigest, at path: String) -> Bool {
        guard let seal = Seal(path) else { return false }
        let now = DispatchTime.now().uptimeNanoseconds
        return entries.withLock { entries in
            guard let entry = entries[digest] else { return false }
            return entry.seal == seal && now - entry.at < Self.lifetimeNanoseconds
        }
    }

    /// Notes that the file at `path` is whole.
    func note(_ digest: ContentDigest, at path: String) {
        guard let seal = Seal(path) else { return }
        let entry = Entry(seal: seal, at: DispatchTime.now().uptimeNanoseconds)
        entries.withLock { entries in
            if entries.count >= Self.mostEntries { entries.removeAll() }
            entries[digest] = entry
        }
    }
}

// Bytes that are no longer what their name says are never taken for it.
extension BlobStore {
    /// Whether the blob was checked lately and has not changed since.
    package func isChecked(_ digest: ContentDigest) -> Bool {
        checked.holds(digest, at: path(of: digest))
    }

    /// Reads the blob unless it was checked lately.
    ///
    /// - Returns: its size.
    /// - Throws: `ArtifactError.blobNotFound`; `.blobDamaged` if its bytes are others: they are put
    ///   aside, and an upload takes their place.
    @discardableResult
    package func check(_ digest: ContentDigest) throws -> Int64 {
        guard let size = sizeBytes(of: digest) else { throw missing(digest) }
        if isChecked(digest) { return size }
        let reader = try reader(of: digest)
        var check = BlobCheck(digest)
        var offset: Int64 = 0
        while case let data = try reader.read(at: offset, count: 1 << 20), !data.isEmpty {
            check.add(data)
            offset += Int64(data.count)
        }
        try end(check, reader)
        return offset
    }

    /// The blob's bytes, for who checks them as they come.
    package func reader(of digest: ContentDigest) throws -> FileReader {
        do {
            return try FileReader(path: path(of: digest))
        } catch {
            throw missing(digest)
        }
    }

    /// Ends a check that has seen all of `reader`.
    ///
    /// - Throws: `ArtifactError.blobDamaged`.
    package func end(_ check: BlobCheck, _ reader: FileReader) throws {
        let digest = check.expected
        guard check.isWhole else {
            setAside(digest, inode: reader.inode)
            throw ArtifactError.blobDamaged(digest)
        }
        checked.note(digest, at: path(of: digest))
    }

    /// As `claim`, once the bytes are known to be whole; damaged ones are put aside and not there.
    package func claimWhole(_ digest: ContentDigest) throws -> Int64? {
        do {
            try check(digest)
        } catch ArtifactError.blobNotFound, ArtifactError.blobDamaged {
            return nil
        }
        return claim(digest)
    }

    /// What to say of a blob that is not there.
    func missing(_ digest: ContentDigest) -> ArtifactError {
        FileManager.default.fileExists(atPath: damagedPath(of: digest))
            ? .blobDamaged(digest) : .blobNotFound(digest)
    }

    /// Where the bytes of a damaged blob are kept until a good upload comes.
    package func damagedPath(of digest: ContentDigest) -> String { "\(damaged)/\(digest.hex)" }

    private func setAside(_ digest: ContentDigest, inode: UInt64) {
        let (place, aside) = (path(of: digest), damagedPath(of: digest))
        exclusion.lock.withLock { _ in
            var status = stat()
            // An upload may have put good bytes there meanwhile.
            guard stat(place, &status) == 0, UInt64(status.st_ino) == inode else { return }
            mkdir(damaged, 0o700)
            rename(place, aside)
        }
    }
}

/// The digest of a blob's bytes as they come.
package struct BlobCheck: Sendable {
    package let expected: ContentDigest
    private var hash = SHA256()

    package init(_ expected: ContentDigest) { self.expected = expected }

    package mutating func add(_ data: Data) { hash.update(data: data) }

    package var isWhole: Bool { ContentDigest(bytes: hash.finalize()) == expected }
}
