import AloftDomain
import AloftInference
import NIOCore

/// What one event loop keeps for its connections. Touched on that loop only.
final class LoopState {
    let index: Int
    let eventLoop: any EventLoop
    let shared: GatewayShared
    var table = RoutingTable.empty { didSet { tableNumber &+= 1 } }
    /// Changes with the table, so that a request begun under an earlier one is seen.
    private(set) var tableNumber: UInt64 = 0
    var isDraining = false
    var log: PredictionLogBuffer
    /// Memory of the last reply, used again when the socket has taken it.
    var output = ByteBuffer()
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

    func takeRequest() -> InferenceRequest { requests.popLast() ?? InferenceRequest() }

    func takeReply() -> TensorSet { replies.popLast() ?? TensorSet() }

    func giveBack(_ request: InferenceRequest, _ reply: TensorSet) {
        guard requests.count < 64 else { return }
        request.reset()
        reply.reset()
        requests.append(request)
        replies.append(reply)
    }

    func opened(_ connection: ConnectionHandler) {
        connections[ObjectIdentifier(connection)] = connection
    }

    func closed(_ connection: ConnectionHandler) {
        connections[ObjectIdentifier(connection)] = nil
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

/// The name of one prediction: 28 hexadecimal digits, unique for all time by the chance in the first
/// sixteen, which are new at each start of a gateway.
struct PredictionID: Sendable, Equatable {
    let incarnation: UInt64
    let loop: UInt8
    var sequence: UInt64 = 0

    static let digitCount = 28

    init(incarnation: UInt64, loop: UInt8) {
        self.incarnation = incarnation
        self.loop = loop
    }

    @inline(__always)
    func write(to writer: inout ByteWriter) {
        Self.write(incarnation, digits: 16, to: &writer)
        Self.write(UInt64(loop), digits: 2, to: &writer)
        Self.write(sequence, digits: 10, to: &writer)
    }

    @inline(__always)
    private static func write(_ value: UInt64, digits: Int, to writer: inout ByteWriter) {
        var shift = UInt64(digits * 4)
        while shift > 0 {
            shift -= 4
            let digit = UInt8(truncatingIfNeeded: value >> shift) & 15
            writer.write(digit < 10 ? 48 + digit : 87 + digit)
        }
    }

    var text: String {
        func hexadecimal(_ value: UInt64, _ digits: Int) -> String {
            let text = String(value, radix: 16)
            return String(repeating: "0", count: max(0, digits - text.count)) + text
        }
        return hexadecimal(incarnation, 16) + hexadecimal(UInt64(loop), 2)
            + hexadecimal(sequence & 0xFF_FFFF_FFFF, 10)
    }
}
