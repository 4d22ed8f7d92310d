import AloftDomain
import AloftInference
import Foundation
import Logging
import NIOCore
import NIOHTTP1
import NIOPosix
import Synchronization

/// A line of JSON for each request, in a file that a person names. Lines gather on each event loop and
/// go to the file from a thread of its own; what that cannot take is dropped and counted, so a slow
/// disk holds up no answer.
///
/// The file is opened again when it was moved away, so it can be rotated from outside.
// Everything mutable is guarded by `state` or used on the one thread.
final class AccessLog: Sendable {
    private struct State {
        var pendingBytes = 0
        var linesDropped: UInt64 = 0
        var isBroken = false
    }

    private let path: String
    private let logger: Logger
    private let thread = NIOThreadPool(numberOfThreads: 1)
    private let state = Mutex(State())

    private static let pendingLimitBytes = 16 << 20

    /// - Throws: where the file cannot be opened.
    init(path: String, logger: Logger) throws {
        self.path = path
        self.logger = logger
        close(try Self.open(path))
        thread.start()
    }

    var linesDropped: UInt64 { state.withLock(\.linesDropped) }

    private static func open(_ path: String) throws -> Int32 {
        let descriptor = Foundation.open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o640)
        guard descriptor >= 0 else {
            throw CocoaError(.fileWriteUnknown, userInfo: [NSFilePathErrorKey: path])
        }
        return descriptor
    }

    /// Hands lines over; never waits.
    func write(_ lines: ByteBuffer, count: Int) {
        let size = lines.readableBytes
        let isAccepted = state.withLock { state in
            guard state.pendingBytes + size <= Self.pendingLimitBytes else {
                state.linesDropped += UInt64(count)
                return false
            }
            state.pendingBytes += size
            return true
        }
        if isAccepted { thread.submit { _ in self.append(lines, count) } }
    }

    /// Returns when everything that was handed over is in the file.
    func end() async {
        try? await thread.runIfActive {}
        try? await thread.shutdownGracefully()
    }

    /// Opens the file for each batch, some twice a second: a file that was moved away is left behind.
    private func append(_ lines: ByteBuffer, _ count: Int) {
        var failure: (any Error)?
        do {
            let file = FileHandle(
                fileDescriptor: try Self.open(path), closeOnDealloc: true)
            defer { try? file.close() }
            try file.write(contentsOf: Data(lines.readableBytesView))
        } catch {
            failure = error
        }
        let isFirst = state.withLock { state in
            state.pendingBytes -= lines.readableBytes
            if failure != nil { state.linesDropped += UInt64(count) }
            defer { state.isBroken = failure != nil }
            return failure != nil && !state.isBroken
        }
        guard isFirst, let failure else { return }
        logger.error(
            "the access log cannot be written; requests go on",
            metadata: ["path": "\(path)", "error": "\(failure)"])
    }
}

/// One event loop's part of the access log.
struct AccessLogBuffer {
    private let log: AccessLog
    private var lines = ByteBuffer()
    private var count = 0
    /// The second that was written last, since it is mostly the next one too.
    private var second: (since1970: Int64, text: String) = (-1, "")

    private static let flushBytes = 64 << 10

    init(log: AccessLog) { self.log = log }

    mutating func append(
        _ request: RequestInProgress, status: Int, bytes: Int, milliseconds: Int64,
        predictionID: PredictionID?
    ) {
        let micros = max(0, (NIODeadline.now() - request.receivedAt).nanoseconds / 1000)
        var line =
            "{\"at\":\"\(stamp(milliseconds))\",\"method\":\"\(request.method.rawValue)\",\"path\":"
        lines.writeString(line)
        lines.writeBytes(JSONText.quoted(String(request.uri.prefix(2000))))
        line =
            ",\"status\":\(status),\"microseconds\":\(micros),\"request_bytes\":"
            + "\(request.bodyBytes),\"response_bytes\":\(bytes)"
        if let predictionID { line += ",\"prediction\":\"\(predictionID.text)\"" }
        if let trace = request.trace { line += ",\"trace\":\"\(trace.traceID)\"" }
        lines.writeString(line + "}\n")
        count += 1
        if lines.readableBytes >= Self.flushBytes { flush() }
    }

    /// RFC 3339, in UTC with milliseconds.
    private mutating func stamp(_ milliseconds: Int64) -> String {
        let now = milliseconds / 1000
        if now != second.since1970 {
            let text = Date(millisecondsSince1970: now * 1000).formatted(.iso8601)
            second = (now, String(text.dropLast()))
        }
        return "\(second.text).\(String(1000 + milliseconds % 1000).dropFirst())Z"
    }

    mutating func flush() {
        guard count > 0 else { return }
        log.write(lines, count: count)
        lines = ByteBuffer()
        count = 0
    }
}
