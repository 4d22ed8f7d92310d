package import AloftDomain
import AloftWire
import AsyncHTTPClient
import Foundation
import NIOCore

extension ServerClient {
    /// Stores the file at `path` as the blob with this digest. Doing it again does no harm.
    ///
    /// - Throws: `ClientError`, or what the file system says.
    package func putBlob(
        _ digest: ContentDigest, fromFile path: String, sizeBytes: Int64,
        timeout: Duration = .seconds(600)
    ) async throws {
        let chunks = try FileChunks(path: path)
        _ = try await send(
            method: .put, path: GetBlob.path, parameters: ["digest": digest.hex],
            body: .stream(chunks, length: .known(sizeBytes)), timeout: timeout)
    }
}

/// A file in pieces of a mebibyte, read as they are asked for.
struct FileChunks: AsyncSequence, Sendable {
    typealias Element = ByteBuffer

    let path: String

    init(path: String) throws {
        guard FileManager.default.isReadableFile(atPath: path) else {
            throw CocoaError(.fileReadNoPermission, userInfo: [NSFilePathErrorKey: path])
        }
        self.path = path
    }

    struct AsyncIterator: AsyncIteratorProtocol {
        let file: FileHandle?

        mutating func next() async throws -> ByteBuffer? {
            guard let data = try file?.read(upToCount: 1 << 20), !data.isEmpty else {
                try file?.close()
                return nil
            }
            return ByteBuffer(bytes: data)
        }
    }

    func makeAsyncIterator() -> AsyncIterator {
        AsyncIterator(file: FileHandle(forReadingAtPath: path))
    }
}
