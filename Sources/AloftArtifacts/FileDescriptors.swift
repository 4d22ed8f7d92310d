import Foundation

/// System calls on files, with their errors as Swift errors.
enum FileDescriptors {
    /// - Throws: `ArtifactError.diskFull` where there is no space, else a POSIX error.
    static func fail(_ path: String) -> any Error {
        let code = errno
        if code == ENOSPC || code == EDQUOT { return ArtifactError.diskFull }
        if code == ENAMETOOLONG { return ArtifactError.invalidPath(path) }
        return POSIXError(
            POSIXErrorCode(rawValue: code) ?? .EIO, userInfo: [NSFilePathErrorKey: path])
    }

    static func createFolder(_ path: String) throws {
        guard mkdir(path, 0o755) != 0, errno != EEXIST else { return }
        throw fail(path)
    }

    /// Makes what was renamed or created in a folder durable.
    static func syncFolder(_ path: String) throws {
        let descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw fail(path) }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw fail(path) }
    }

    static func write(_ bytes: UnsafeRawBufferPointer, to descriptor: Int32, path: String) throws {
        var rest = bytes
        while !rest.isEmpty {
            let count = Foundation.write(descriptor, rest.baseAddress, rest.count)
            if count < 0 {
                if errno == EINTR { continue }
                throw fail(path)
            }
            rest = UnsafeRawBufferPointer(rebasing: rest[count...])
        }
    }
}
