package import AloftDomain
import Crypto
import Foundation
import Synchronization

/// A file on its way in: written beside its place, hashed as it comes, and either put in its place
/// whole or left without a trace.
package final class IncomingFile: Sendable {
    private struct State {
        /// -1 once the file has landed or was given up.
        var descriptor: Int32
        var hash = SHA256()
        var sizeBytes: Int64 = 0
    }

    private let path: String
    private let state: Mutex<State>

    /// - Parameter path: where to write until the end, on the same file system as the place.
    init(path: String) throws {
        self.path = path
        let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { throw FileDescriptors.fail(path) }
        state = Mutex(State(descriptor: descriptor))
    }

    deinit { abandon() }

    package var sizeBytes: Int64 { state.withLock { $0.sizeBytes } }

    /// The digest of what was written so far.
    package var digest: ContentDigest {
        state.withLock { ContentDigest(bytes: $0.hash.finalize()) }
    }

    package func write(_ bytes: UnsafeRawBufferPointer) throws {
        try state.withLock { state in
            try FileDescriptors.write(bytes, to: state.descriptor, path: path)
            state.hash.update(bufferPointer: bytes)
            state.sizeBytes += Int64(bytes.count)
        }
    }

    /// Makes the bytes durable and renames the file; the caller syncs the folder.
    func land(at target: String) throws {
        try state.withLock { state in
            guard fsync(state.descriptor) == 0 else { throw FileDescriptors.fail(path) }
            close(state.descriptor)
            state.descriptor = -1
            guard rename(path, target) == 0 else {
                let error = FileDescriptors.fail(target)
                unlink(path)
                throw error
            }
        }
    }

    /// Drops what was written. After the end it does nothing.
    package func abandon() {
        state.withLock { state in
            guard state.descriptor >= 0 else { return }
            close(state.descriptor)
            unlink(path)
            state.descriptor = -1
        }
    }
}
