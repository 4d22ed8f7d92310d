import AloftDomain
import AloftEdge
import AloftInference
import Foundation
import NIOCore

/// What one event loop keeps for its connections. Touched on that loop only.
final class LoopState {
    let index: Int
    let eventLoop: any EventLoop
    let shared: GatewayShared
    var table = RoutingTable.empty {
        didSet {
            tableNumber &+= 1
            lastPath = nil
        }
    }
    /// Changes with the table, so that a request begun under an earlier one is seen.
    private(set) var tableNumber: UInt64 = 0
    var isDraining = false
    var log: PredictionLogBuffer
    /// `nil` where nobody asked for one.
    var accessLog: AccessLogBuffer?
    /// Memory of replies, used again when the sockets have taken them.
    private var outputs: [ByteBuffer] = []
    private var outputsTaken = 0
    /// Connections with replies that are not sent yet, and since when the first waits.
    private var unflushed: [ConnectionHandler] = []
    private var unflushedSince = NIODeadline.distantFuture
    /// Connections that are shed after a pause, which is the same for all, so in their order.
    private var held = CircularBuffer<(connection: ConnectionHandler, end: NIODeadline)>()
    private var isReleaseDue = false
    var refusals = RefusalReplies()
    private var scheduling = LoopScheduling()
    /// The `Host` that was asked last, since it is mostly the next one too.
    private var lastHost: [UInt8] = []
    /// Of all protocols.
    let connectionTable: ConnectionTable
    /// The path that was asked last, since it is mostly the next one too.
    private var lastPath: RoutingTable.InferPath?
    private var chance: SplitMix64
    private var requests: [InferenceRequest] = []
    private var replies: [TensorSet] = []
    private var connections: [ObjectIdentifier: ConnectionHandler] = [:]
    private var predictionID: PredictionID

    init(
        index: Int, eventLoop: any EventLoop, shared: GatewayShared, seed: UInt64,
        incarnation: UInt64, log: PredictionLogBuffer
    ) {
        self.index = index
        self.eventLoop = eventLoop
        self.shared = shared
        self.log = log
        connectionTable = shared.tables.table(of: eventLoop)
        accessLog = shared.accessLog.map(AccessLogBuffer.init)
        chance = SplitMix64(seed: seed)
        predictionID = PredictionID(
            incarnation: incarnation, loop: UInt8(truncatingIfNeeded: index))
    }

    /// A number of 0..<1.
    func point() -> Double { Double(chance.next() >> 11) * 0x1p-53 }

    func nextPredictionID() -> PredictionID {
        predictionID.sequence &+= 1
        return predictionID
    }

    /// The path of an endpoint's predictions, if that is what these bytes are.
    func inferPath(_ bytes: UnsafeRawBufferPointer) -> RoutingTable.InferPath? {
        if let lastPath, lastPath.utf8.withUnsafeBytes({ Self.equal($0, bytes) }) {
            return lastPath
        }
        guard let found = table.inferPaths[String(decoding: bytes, as: UTF8.self)] else {
            return nil
        }
        lastPath = found
        return found
    }

    /// Whether callers may ask under this value of `Host`.
    func knowsHost(_ bytes: UnsafeRawBufferPointer) -> Bool {
        if lastHost.withUnsafeBytes({ Self.equal($0, bytes) }) { return true }
        guard let host = RequestAuthority(bytes), shared.hosts.isKnown(host) else { return false }
        lastHost = Array(bytes)
        return true
    }

    private static func equal(_ one: UnsafeRawBufferPointer, _ two: UnsafeRawBufferPointer) -> Bool
    {
        guard one.count == two.count, let a = one.baseAddress, let b = two.baseAddress else {
            return false
        }
        return memcmp(a, b, one.count) == 0
    }

    func takeRequest() -> InferenceRequest { requests.popLast() ?? InferenceRequest() }

    func takeReply() -> TensorSet { replies.popLast() ?? TensorSet() }

    func giveBack(_ request: InferenceRequest, _ reply: TensorSet) {
        guard requests.count < 64 else { return }
        request.reset()
        reply.reset()
        requests.append(request)
        replies.append(reply)
    }

    /// Memory for a reply; hand it back with `keepOutput`.
    func takeOutput() -> ByteBuffer {
        guard outputsTaken < outputs.count else { return ByteBuffer() }
        var output = ByteBuffer()
        swap(&output, &outputs[outputsTaken])
        return output
    }

    /// The loop keeps the memory; a copy that waits for its socket shares it until that has taken it.
    func keepOutput(_ output: ByteBuffer) {
        guard outputsTaken < Self.outputLimit, output.storageCapacity <= Self.outputBytes else {
            return
        }
        if outputsTaken < outputs.count {
            outputs[outputsTaken] = output
        } else {
            outputs.append(output)
        }
        outputsTaken += 1
    }

    private static let outputLimit = 64
    private static let outputBytes = 16 << 10
    /// The longest that a reply waits for those of other connections.
    private static let flushDelay = TimeAmount.milliseconds(1)

    /// Sends a connection's replies when all that came in with this turn of the event loop is
    /// answered, together with those of other connections: clients are then woken for many replies,
    /// not for each, which costs them and the kernel less than half.
    func flushSoon(_ connection: ConnectionHandler, now: NIODeadline) {
        unflushed.append(connection)
        if unflushed.count == 1 {
            unflushedSince = now
            let bound = NIOLoopBound(self, eventLoop: eventLoop)
            eventLoop.execute { bound.value.flush() }
        } else if now - unflushedSince > Self.flushDelay {
            flush()
        }
    }

    private func flush() {
        // What is flushed may answer more; that waits for its own turn.
        var connections: [ConnectionHandler] = []
        swap(&connections, &unflushed)
        outputsTaken = 0
        for connection in connections { connection.flush() }
        if unflushed.isEmpty {
            connections.removeAll(keepingCapacity: true)
            swap(&connections, &unflushed)
        }
    }

    /// Turns a connection away then, with others of the same moment.
    func hold(_ connection: ConnectionHandler, until end: NIODeadline) {
        held.append((connection, end))
        if !isReleaseDue { releaseHeld(at: end) }
    }

    private func releaseHeld(at time: NIODeadline) {
        isReleaseDue = true
        let bound = NIOLoopBound(self, eventLoop: eventLoop)
        eventLoop.scheduleTask(deadline: time) { bound.value.releaseHeld() }
    }

    private func releaseHeld() {
        let now = NIODeadline.now()
        while let first = held.first, first.end <= now + Self.flushDelay {
            // traps: not empty, as the loop has just asked
            held.removeFirst()
            first.connection.refuseHeld(now)
        }
        isReleaseDue = false
        if let next = held.first { releaseHeld(at: next.end) }
    }

    /// A request was shed.
    func shed(_ now: NIODeadline) {
        if scheduling.refused() { endPeriod(at: now + Self.schedulingPeriod) }
    }

    private func endPeriod(at time: NIODeadline) {
        let bound = NIOLoopBound(self, eventLoop: eventLoop)
        eventLoop.scheduleTask(deadline: time) {
            guard bound.value.scheduling.periodEnded() else { return }
            bound.value.endPeriod(at: time + Self.schedulingPeriod)
        }
    }

    private static let schedulingPeriod = TimeAmount.milliseconds(250)

    /// False where there is no descriptor left for it.
    func opened(_ connection: ConnectionHandler, descriptor: CInt?) -> Bool {
        guard connectionTable.opened(connection, descriptor: descriptor) else { return false }
        connections[ObjectIdentifier(connection)] = connection
        return true
    }

    func closed(_ connection: ConnectionHandler) {
        connections[ObjectIdentifier(connection)] = nil
        connectionTable.closed(connection)
    }

    var connectionCount: Int { connections.count }

    /// Closes connections that are idle or slow beyond their limits.
    func sweep(now: NIODeadline) {
        for connection in Array(connections.values) { connection.sweep(now: now) }
    }

    /// Connections close when they have answered; at once if they have nothing to answer and
    /// `closingIdle` says so.
    func drain(closingIdle: Bool) {
        isDraining = true
        guard closingIdle else { return }
        for connection in Array(connections.values) { connection.closeIfIdle() }
    }
}

extension PredictionID {
    @inline(__always)
    func write(to writer: inout ByteWriter) {
        writer.write(hexadecimal: UInt32(truncatingIfNeeded: incarnation >> 32))
        writer.write(hexadecimal: UInt32(truncatingIfNeeded: incarnation))
        let upper =
            UInt32(truncatingIfNeeded: loop) << 8 | UInt32(truncatingIfNeeded: sequence >> 32)
            & 0xFF
        writer.write(hexadecimal: upper << 16, digits: 4)
        writer.write(hexadecimal: UInt32(truncatingIfNeeded: sequence))
    }
}
