import CProcess
package import Foundation

/// Files that are whole or absent, also after a power failure.
package enum DurableFile {
    /// Writes beside `path`, syncs, renames, syncs the folder. Readable by the owner only.
    package static func write(_ data: Data, to path: String) throws {
        try write(data, to: path) { rename($0, $1) == 0 ? 0 : errno }
    }

    /// The same where nothing stands there yet.
    ///
    /// - Returns: false where something does, which stays.
    package static func create(_ data: Data, at path: String) throws -> Bool {
        var isThere = false
        try write(data, to: path) { beside, path in
            let failure = link(beside, path) == 0 ? 0 : errno
            isThere = failure == EEXIST
            if failure == 0 || isThere { unlink(beside) }
            return isThere ? 0 : failure
        }
        return !isThere
    }

    private static func write(
        _ data: Data, to path: String, publish: (_ beside: String, _ path: String) -> Int32
    ) throws {
        let beside = "\(path).\(getpid()).part"
        // Whoever may write in the folder cannot have it written elsewhere by a link.
        unlink(beside)
        let descriptor = open(
            beside, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw FileFailure(path: path, number: errno) }
        var failure: Int32 = 0
        data.withUnsafeBytes { bytes in
            var written = 0
            while written < bytes.count, let base = bytes.baseAddress {
                let count = Foundation.write(descriptor, base + written, bytes.count - written)
                if count < 0 && errno == EINTR { continue }
                guard count > 0 else {
                    failure = errno
                    return
                }
                written += count
            }
        }
        if failure == 0, fsync(descriptor) != 0 { failure = errno }
        close(descriptor)
        if failure == 0 { failure = publish(beside, path) }
        guard failure == 0 else {
            unlink(beside)
            throw FileFailure(path: path, number: failure)
        }
        syncFolder(of: path)
    }

    package static func write(_ value: some Encodable, to path: String) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        try write(try encoder.encode(value), to: path)
    }

    /// `nil` where there is no file.
    ///
    /// - Throws: `DecodingError` if it holds something else.
    package static func read<Value: Decodable>(_ type: Value.Type, at path: String) throws -> Value?
    {
        guard let data = FileManager.default.contents(atPath: path) else { return nil }
        return try JSONDecoder().decode(type, from: data)
    }

    private static func syncFolder(of path: String) {
        let folder = (path as NSString).deletingLastPathComponent
        let descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { return }
        fsync(descriptor)
        close(descriptor)
    }
}

/// Room on the disk, `PATH.reserve`, for a small file that must be written whatever happens.
enum ReservedFile {
    private static let bytes: UInt64 = 8 << 10

    private static func beside(_ path: String) -> String { path + ".reserve" }

    /// Takes the room; does without where there is none.
    static func reserve(beside path: String) {
        let descriptor = open(beside(path), O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { return }
        _ = aloft_allocate(descriptor, bytes)
        close(descriptor)
    }

    /// As `DurableFile.write`, in the room that was taken where there is no other.
    static func write(_ value: some Encodable, to path: String) throws {
        do {
            try DurableFile.write(value, to: path)
            unlink(beside(path))
        } catch {
            let data = try JSONEncoder().encode(value)
            let descriptor = open(beside(path), O_WRONLY | O_CLOEXEC)
            guard descriptor >= 0 else { throw error }
            defer { close(descriptor) }
            let count = data.withUnsafeBytes {
                Foundation.write(descriptor, $0.baseAddress, $0.count)
            }
            guard count == data.count, ftruncate(descriptor, off_t(count)) == 0,
                fsync(descriptor) == 0, rename(beside(path), path) == 0
            else { throw error }
        }
    }
}

/// The operating system refused something to a file.
package struct FileFailure: Error, CustomStringConvertible {
    package let path: String
    package let number: Int32
    package var description: String { "\(path): \(String(cString: strerror(number)))" }
}

/// An exclusive lock between processes. Ends with `release`, or with the process.
package final class FileLock {
    private let descriptor: Int32

    /// `nil` if another process holds it.
    ///
    /// - Throws: `FileFailure` if the file cannot be made.
    package init?(tryingAt path: String) throws {
        let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw FileFailure(path: path, number: errno) }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            close(descriptor)
            return nil
        }
        self.descriptor = descriptor
    }

    /// Call it once.
    package func release() { close(descriptor) }
}
