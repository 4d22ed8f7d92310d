package import AloftDomain
import Crypto
import Foundation

enum FileTail {
    /// At most `limit` bytes from `offset` on; empty where there are none.
    static func read(_ path: String, from offset: Int64, limit: Int) -> Data {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0, offset >= 0 else { return Data() }
        defer { close(descriptor) }
        var buffer = [UInt8](repeating: 0, count: limit)
        let count = pread(descriptor, &buffer, limit, off_t(offset))
        return count > 0 ? Data(buffer[..<count]) : Data()
    }
}

package enum FileDigest {
    /// The SHA-256 of a file; `nil` if it cannot be read.
    package static func compute(path: String) -> ContentDigest? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var hash = SHA256()
        var buffer = [UInt8](repeating: 0, count: 1 << 20)
        while true {
            let count = Foundation.read(descriptor, &buffer, buffer.count)
            if count < 0 && errno == EINTR { continue }
            guard count >= 0 else { return nil }
            guard count > 0 else { return ContentDigest(bytes: hash.finalize()) }
            buffer.withUnsafeBytes { hash.update(bufferPointer: .init(rebasing: $0[..<count])) }
        }
    }
}

/// Finds programs as a shell does.
package enum Executable {
    /// The absolute path of `name`, which is one already or is looked for on `path`.
    package static func find(_ name: String, path: String?) -> String? {
        if name.hasPrefix("/") { return isExecutableFile(name) ? name : nil }
        return (path ?? "/usr/bin:/bin").split(separator: ":").lazy
            .map { "\($0)/\(name)" }.first(where: isExecutableFile)
    }

    /// A folder may be "executed" too, which means something else.
    private static func isExecutableFile(_ path: String) -> Bool {
        var info = stat()
        return stat(path, &info) == 0 && info.st_mode & S_IFMT == S_IFREG && access(path, X_OK) == 0
    }
}
