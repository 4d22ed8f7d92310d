import AloftClient
import AloftDomain
import AloftPredictionLog
import AloftWire
import Foundation
import Logging
import Synchronization

/// Sends the prediction log to the server, segment by segment, at least once; gateway, log, segment
/// and byte name each piece, so the server knows one that it has. A segment goes when the server has
/// all of it. Works on files only: what answers predictions does not wait for it.
final class PredictionShipper: Sendable {
    struct Counts: Sendable, Equatable {
        var bytesShipped: UInt64 = 0
        /// Of segments that a crash or a disk damaged.
        var bytesDamaged: UInt64 = 0
    }

    private struct State {
        var counts = Counts()
        /// How far the server has each segment, as it said in this process.
        var taken: [Int: Int64] = [:]
        var isReached = true
    }

    /// Sends a piece and returns where to go on; an empty piece only asks.
    typealias Send =
        @Sendable (_ segment: Int, _ offset: Int64, _ bytes: Data) async throws -> Int64

    private let folder: PredictionLogFolder
    private let send: Send
    private let time: TimeSource
    private let logger: Logger
    private let state = Mutex(State())

    private static let pieceBytes = 2 << 20

    init(folder: PredictionLogFolder, time: TimeSource, logger: Logger, send: @escaping Send) {
        self.folder = folder
        self.time = time
        self.logger = logger
        self.send = send
    }

    /// Sends to the server that `client` calls.
    static func sender(
        _ client: ServerClient, gateway: GatewayID, log: String
    ) -> Send {
        { segment, offset, bytes in
            let data = try await client.post(
                path: ShipPredictions.path,
                parameters: [
                    "gateway": gateway.rawValue, "log": log, "segment": String(segment),
                    "offset": String(offset),
                ], data: bytes, contentType: "application/octet-stream", timeout: .seconds(30))
            return try JSONDecoder().decode(ShipPredictions.Reply.self, from: data).nextOffset
        }
    }

    var counts: Counts { state.withLock(\.counts) }

    func run() async {
        var pause = Duration.milliseconds(500)
        while !Task.isCancelled {
            do {
                try await runOnce()
                pause = .milliseconds(500)
                let wasAway = state.withLock { state in
                    defer { state.isReached = true }
                    return !state.isReached
                }
                if wasAway { logger.info("the server takes the prediction log again") }
            } catch {
                if Task.isCancelled { return }
                let isFirst = state.withLock { state in
                    defer { state.isReached = false }
                    return state.isReached
                }
                if isFirst {
                    logger.warning(
                        "the server does not take the prediction log; it is kept here meanwhile",
                        metadata: ["error": "\((error as? ClientError)?.message ?? "\(error)")"])
                }
                pause = min(pause * 2, .seconds(5))
            }
            try? await time.clock.sleep(for: pause)
        }
    }

    /// Sends everything that is there now.
    func runOnce() async throws {
        for segment in folder.segments() {
            if Task.isCancelled { return }
            try await ship(segment.number)
        }
    }

    private func ship(_ segment: Int) async throws {
        var offset: Int64
        if let known = state.withLock({ $0.taken[segment] }) {
            offset = known
        } else {
            offset = try await send(segment, 0, Data())
        }
        while !Task.isCancelled, let piece = try read(segment, from: offset) {
            let next = try await send(segment, offset, piece)
            guard next > offset else { break }
            state.withLock { $0.counts.bytesShipped += UInt64(clamping: next - offset) }
            offset = next
            state.withLock { [offset] in $0.taken[segment] = offset }
        }
        state.withLock { [offset] in $0.taken[segment] = offset }
        try letGo(segment, taken: offset)
    }

    /// Whole blocks from `offset` on, some two mebibytes of them; `nil` where there is none.
    private func read(_ segment: Int, from offset: Int64) throws -> Data? {
        guard let file = FileHandle(forReadingAtPath: folder.path(of: segment)) else { return nil }
        defer { try? file.close() }
        try file.seek(toOffset: UInt64(clamping: offset))
        guard var data = try file.read(upToCount: Self.pieceBytes), !data.isEmpty else {
            return nil
        }
        var whole = data.withUnsafeBytes { PredictionBlock.wholeBytes(in: $0) }
        if whole == 0, data.count == Self.pieceBytes {
            // One block larger than a piece: take what it says it is.
            let more = try file.read(upToCount: 128 << 20) ?? Data()
            data.append(more)
            whole = data.withUnsafeBytes { PredictionBlock.wholeBytes(in: $0, limit: 1) }
        }
        return whole == 0 ? nil : data.prefix(whole)
    }

    /// Removes a segment that the server has. What is behind the last whole block of one that nobody
    /// writes was cut off by a crash, and goes with it.
    private func letGo(_ segment: Int, taken: Int64) throws {
        guard !folder.isOpen(segment) else { return }
        let attributes = try? FileManager.default.attributesOfItem(
            atPath: folder.path(of: segment))
        let size = Int64(clamping: attributes?[.size] as? Int ?? 0)
        // Closed between the last look and this one: the rest is sent next time.
        if size > taken, try read(segment, from: taken) != nil { return }
        guard try folder.remove(segment, ifNoLongerThan: Int(clamping: size)) else { return }
        let damaged = UInt64(clamping: size - taken)
        state.withLock { state in
            state.taken[segment] = nil
            state.counts.bytesDamaged += damaged
        }
        guard damaged > 0 else { return }
        logger.error(
            "a segment of the prediction log is damaged; the rest of it is lost",
            metadata: ["segment": "\(segment)", "bytes": "\(damaged)"])
    }
}
