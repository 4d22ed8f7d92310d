import AloftDomain
import AloftPredictionLog
import Foundation
import Logging
import NIOPosix
import Synchronization

/// Writes the prediction log: segments of blocks, on a thread of its own.
///
/// `PredictionBlock` says how blocks are written. Segments are `NUMBER.alog`; the one that is being
/// written is locked, so that a process which ships them knows it from one that is whole. The oldest
/// are removed when all are larger than the limit, and counted.
// Everything mutable is guarded by `state`.
package final class PredictionLogWriter: Sendable {
    package struct Counts: Sendable, Equatable {
        package var bytesWritten: UInt64 = 0
        /// Segments that went before the server had them.
        package var segmentsDropped: UInt64 = 0
        /// Records' bytes that were dropped because the disk could not keep up or refused.
        package var bytesLost: UInt64 = 0
    }

    private struct State {
        var counts = Counts()
        /// Memory of the blocks that wait to be written, however little is in them.
        var pendingBytes = 0
        var number = 0
        var file: FileHandle?
        var fileBytes = 0
        var isBroken = false
    }

    let folder: PredictionLogFolder
    private let limitBytes: Int
    private let logger: Logger
    private let thread: NIOThreadPool
    private let state: Mutex<State>
    /// Blocks that are written, and may be filled again.
    private let used = Mutex<[LogBlock]>([])

    private static let keptBlocks = 4
    private static let keptBytes = 512 << 10
    private static let segmentBytes = 16 << 20
    private static let pendingLimitBytes = 64 << 20

    /// Goes on after the segments that are in the folder already.
    init(folder: PredictionLogFolder, limitBytes: Int, logger: Logger) {
        self.folder = folder
        self.limitBytes = limitBytes
        self.logger = logger
        thread = NIOThreadPool(numberOfThreads: 1)
        var state = State()
        state.number = folder.nextNumber
        self.state = Mutex(state)
        thread.start()
    }

    package var counts: Counts { state.withLock(\.counts) }

    /// Hands records over; never waits.
    func write(_ block: LogBlock) {
        let isAccepted = state.withLock { state in
            guard state.pendingBytes + block.capacity <= Self.pendingLimitBytes else {
                state.counts.bytesLost += UInt64(clamping: block.recordBytes)
                return false
            }
            state.pendingBytes += block.capacity
            return true
        }
        guard isAccepted else { return }
        thread.submit { _ in self.append(block) }
    }

    /// Ends the current segment after what was handed over before.
    package func close() async {
        try? await thread.runIfActive { self.endSegment() }
        try? await thread.shutdownGracefully()
    }

    private func append(_ block: LogBlock) {
        do {
            let file = try currentFile()
            let bytes = block.sealed()
            try Self.write(bytes, to: file)
            let isFull = state.withLock { state in
                state.pendingBytes -= block.capacity
                state.counts.bytesWritten += UInt64(bytes.count)
                state.fileBytes += bytes.count
                state.isBroken = false
                return state.fileBytes >= Self.segmentBytes
            }
            keep(block)
            if isFull { endSegment() }
        } catch {
            let isFirst = state.withLock { state in
                state.pendingBytes -= block.capacity
                state.counts.bytesLost += UInt64(clamping: block.recordBytes)
                defer { state.isBroken = true }
                return !state.isBroken
            }
            endSegment()
            if isFirst {
                logger.error(
                    "the prediction log cannot be written; predictions go on",
                    metadata: ["error": "\(error)", "folder": "\(folder.path)"])
            }
        }
    }

    private static func write(_ bytes: UnsafeRawBufferPointer, to file: FileHandle) throws {
        var part = iovec(
            iov_base: UnsafeMutableRawPointer(mutating: bytes.baseAddress), iov_len: bytes.count)
        let written = writev(file.fileDescriptor, &part, 1)
        if written == bytes.count { return }
        // Interrupted, or the disk is full: the rest once more, which says what is wrong.
        try file.write(contentsOf: Data(bytes.dropFirst(max(0, written))))
    }

    // MARK: Memory

    /// An empty block, in memory that was used before where there is some.
    func takeBlock(capacity: Int) -> LogBlock {
        guard let block = used.withLock({ $0.popLast() }) else {
            return LogBlock(capacity: capacity)
        }
        block.clear()
        return block
    }

    private func keep(_ block: LogBlock) {
        guard block.capacity <= Self.keptBytes else { return }
        used.withLock { used in
            if used.count < Self.keptBlocks { used.append(block) }
        }
    }

    private func currentFile() throws -> FileHandle {
        if let file = state.withLock({ $0.file }) { return file }
        // Another process of the same gateway, on its way out, may have taken the number, and what it
        // wrote may be gone by now.
        for _ in 0..<1000 {
            let least = folder.nextNumber
            let number = state.withLock { state in
                state.number = max(state.number, least) + 1
                return state.number - 1
            }
            guard let file = try folder.create(number) else { continue }
            state.withLock { state in
                state.file = file
                state.fileBytes = 0
            }
            return file
        }
        throw CocoaError(.fileWriteFileExists, userInfo: [NSFilePathErrorKey: folder.path])
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
        var segments = folder.segments()
        var total = segments.reduce(0) { $0 + $1.bytes }
        while total > limitBytes, segments.count > 1 {
            // traps: more than one, as the loop has just asked
            let oldest = segments.removeFirst()
            guard unlink(folder.path(of: oldest.number)) == 0 else { return }
            total -= oldest.bytes
            let isFirst = state.withLock { state in
                state.counts.segmentsDropped += 1
                return state.counts.segmentsDropped == 1
            }
            guard isFirst else { continue }
            logger.error(
                "the prediction log is full and the server does not take it; the oldest goes",
                metadata: ["segment": "\(oldest.number)", "limitBytes": "\(limitBytes)"])
        }
    }
}
