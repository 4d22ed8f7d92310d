import AloftDomain
import Foundation
package import Logging
import NIOCore
import NIOPosix
import Synchronization

/// Writes the prediction log: segments of blocks, on a thread of its own.
///
/// A block is `ALP1`, the length of its records, a checksum of them, and the records, so that a reader
/// stops at a block that a crash cut off. Segments are `NUMBER.alog`; the oldest are removed when all
/// are larger than the limit, and counted.
// Everything mutable is guarded by `state`.
package final class PredictionLogWriter: Sendable {
    package struct Counts: Sendable, Equatable {
        package var bytesWritten: UInt64 = 0
        package var segmentsDropped: UInt64 = 0
        /// Records' bytes that were dropped because the disk could not keep up or refused.
        package var bytesLost: UInt64 = 0
    }

    private struct State {
        var counts = Counts()
        var pendingBytes = 0
        var number = 0
        var file: FileHandle?
        var fileBytes = 0
        var isBroken = false
    }

    private let folder: String
    private let limitBytes: Int
    private let logger: Logger
    private let thread: NIOThreadPool
    private let state: Mutex<State>

    private static let segmentBytes = 16 << 20
    private static let pendingLimitBytes = 64 << 20

    /// Goes on after the segments that are in the folder already.
    package init(folder: String, limitBytes: Int, logger: Logger) throws {
        try FileManager.default.createDirectory(
            atPath: folder, withIntermediateDirectories: true)
        self.folder = folder
        self.limitBytes = limitBytes
        self.logger = logger
        thread = NIOThreadPool(numberOfThreads: 1)
        var state = State()
        state.number = (Self.segments(in: folder).last?.number ?? 0) + 1
        self.state = Mutex(state)
        thread.start()
    }

    package var counts: Counts { state.withLock(\.counts) }

    /// Hands records over; never waits.
    func write(_ records: ByteBuffer) {
        let size = records.readableBytes
        let isAccepted = state.withLock { state in
            guard state.pendingBytes + size <= Self.pendingLimitBytes else {
                state.counts.bytesLost += UInt64(size)
                return false
            }
            state.pendingBytes += size
            return true
        }
        guard isAccepted else { return }
        thread.submit { _ in self.append(records) }
    }

    /// Ends the current segment after what was handed over before.
    package func close() async {
        try? await thread.runIfActive { self.endSegment() }
        try? await thread.shutdownGracefully()
    }

    private func append(_ records: ByteBuffer) {
        let size = records.readableBytes
        do {
            let file = try currentFile()
            var block = Data(capacity: size + 16)
            block.append(contentsOf: "ALP1".utf8)
            withUnsafeBytes(of: UInt32(size).littleEndian) { block.append(contentsOf: $0) }
            let checksum = records.withUnsafeReadableBytes { BlockChecksum.of($0) }
            withUnsafeBytes(of: checksum.littleEndian) { block.append(contentsOf: $0) }
            records.withUnsafeReadableBytes { block.append(contentsOf: $0) }
            try file.write(contentsOf: block)
            let isFull = state.withLock { state in
                state.pendingBytes -= size
                state.counts.bytesWritten += UInt64(block.count)
                state.fileBytes += block.count
                state.isBroken = false
                return state.fileBytes >= Self.segmentBytes
            }
            if isFull { endSegment() }
        } catch {
            let isFirst = state.withLock { state in
                state.pendingBytes -= size
                state.counts.bytesLost += UInt64(size)
                defer { state.isBroken = true }
                return !state.isBroken
            }
            endSegment()
            if isFirst {
                logger.error(
                    "the prediction log cannot be written; predictions go on",
                    metadata: ["error": "\(error)", "folder": "\(folder)"])
            }
        }
    }

    private func currentFile() throws -> FileHandle {
        if let file = state.withLock({ $0.file }) { return file }
        var path: String
        var descriptor: Int32
        repeat {
            let number = state.withLock { state in
                defer { state.number += 1 }
                return state.number
            }
            path = Self.path(folder, number)
            descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
            // While one gateway takes over from another, both write segments here.
        } while descriptor < 0 && errno == EEXIST
        guard descriptor >= 0 else {
            throw CocoaError(.fileWriteUnknown, userInfo: [NSFilePathErrorKey: path])
        }
        let file = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
        state.withLock { state in
            state.file = file
            state.fileBytes = 0
        }
        return file
    }

    private func endSegment() {
        let file = state.withLock { state in
            defer { state.file = nil }
            return state.file
        }
        try? file?.synchronize()
        try? file?.close()
        prune()
    }

    /// Removes the oldest segments beyond the limit.
    private func prune() {
        var segments = Self.segments(in: folder)
        var total = segments.reduce(0) { $0 + $1.bytes }
        while total > limitBytes, segments.count > 1 {
            let oldest = segments.removeFirst()
            guard unlink(Self.path(folder, oldest.number)) == 0 else { return }
            total -= oldest.bytes
            state.withLock { $0.counts.segmentsDropped += 1 }
        }
    }

    private static func path(_ folder: String, _ number: Int) -> String {
        let digits = String(number)
        return folder + "/" + String(repeating: "0", count: max(0, 10 - digits.count)) + digits
            + ".alog"
    }

    static func segments(in folder: String) -> [(number: Int, bytes: Int)] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        return names.compactMap { name -> (number: Int, bytes: Int)? in
            guard name.hasSuffix(".alog"), let number = Int(name.dropLast(5)) else { return nil }
            let size =
                (try? FileManager.default.attributesOfItem(atPath: folder + "/" + name))?[.size]
                as? Int
            return (number, size ?? 0)
        }.sorted { $0.number < $1.number }
    }
}

enum BlockChecksum {
    /// Multiplies and folds eight bytes at a time: cheap, and a torn or overwritten block shows.
    static func of(_ bytes: UnsafeRawBufferPointer) -> UInt64 {
        var state: UInt64 = 0x9E37_79B9_7F4A_7C15 ^ UInt64(bytes.count)
        var offset = 0
        func mix(_ word: UInt64) {
            let (high, low) = (state ^ word).multipliedFullWidth(by: 0xA076_1D64_78BD_642F)
            state = high ^ low
        }
        while offset + 8 <= bytes.count {
            mix(UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self)))
            offset += 8
        }
        var tail: UInt64 = 0
        for byte in bytes[offset...] { tail = tail << 8 | UInt64(byte) }
        mix(tail)
        return state
    }
}
