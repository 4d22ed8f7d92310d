package import Foundation

/// An open file, read from anywhere by anybody.
package final class FileReader: Sendable {
    private let descriptor: Int32
    private let path: String

    package init(path: String) throws {
        self.path = path
        descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw ArtifactError.notFound(path) }
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
