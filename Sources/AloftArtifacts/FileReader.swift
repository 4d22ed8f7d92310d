package import Foundation

/// An open file, read from anywhere by anybody.
package final class FileReader: Sendable {
    private let descriptor: Int32
    private let path: String
    /// Which file it is, whatever stands at its path by now.
    let inode: UInt64

    /// - Parameter isFollowing: a link at the path is followed; else it is nothing that can be read.
    package init(path: String, isFollowing: Bool = true) throws {
        self.path = path
        // Nobody waits for the other end of a pipe.
        let kind = O_NONBLOCK | (isFollowing ? 0 : O_NOFOLLOW)
        descriptor = open(path, O_RDONLY | O_CLOEXEC | kind)
        guard descriptor >= 0 else { throw ArtifactError.notFound(path) }
        var status = stat()
        inode = fstat(descriptor, &status) == 0 ? UInt64(status.st_ino) : 0
    }

    deinit { close(descriptor) }

    /// At most `count` bytes from `offset`; empty at the end.
    package func read(at offset: Int64, count: Int) throws -> Data {
        var data = Data(count: count)
        let got = data.withUnsafeMutableBytes {
            pread(descriptor, $0.baseAddress, count, off_t(offset))
        }
        guard got >= 0 else { throw FileDescriptors.fail(path) }
        return data.prefix(got)
    }
}
