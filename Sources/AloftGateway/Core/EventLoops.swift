import AloftDomain
import AloftEdge
import NIOCore
import NIOPosix
import Synchronization

/// The event loops and the state that each keeps.
final class EventLoops: Sendable {
    let group: MultiThreadedEventLoopGroup
    let tables: ConnectionTables
    private let states = Mutex<[ObjectIdentifier: NIOLoopBound<LoopState>]>([:])

    struct UnknownEventLoop: Error {}

    init(group: MultiThreadedEventLoopGroup, tables: ConnectionTables) {
        self.group = group
        self.tables = tables
    }

    private var all: [any EventLoop] { Array(group.makeIterator()) }

    func start(
        shared: GatewayShared, log: PredictionLogWriter, incarnation: UInt64,
        seeds: @escaping @Sendable () -> UInt64
    ) async throws {
        for (index, eventLoop) in all.enumerated() {
            let seed = seeds()
            let bound = try await eventLoop.submit {
                NIOLoopBound(
                    LoopState(
                        index: index, eventLoop: eventLoop, shared: shared, seed: seed,
                        incarnation: incarnation,
                        log: PredictionLogBuffer(
                            writer: log,
                            bodyLimit: shared.configuration.logBodyLimitBytes)),
                    eventLoop: eventLoop)
            }.get()
            states.withLock { $0[ObjectIdentifier(eventLoop)] = bound }
        }
        await tick()
    }

    /// Called on that loop.
    func state(of eventLoop: any EventLoop) throws -> LoopState {
        guard let bound = states.withLock({ $0[ObjectIdentifier(eventLoop)] }) else {
            throw UnknownEventLoop()
        }
        return bound.value
    }

    /// Does something on one of the loops: at once on the current one where that is ours.
    func perform(_ work: @escaping @Sendable (LoopState) -> Void) {
        let eventLoop = group.any()
        guard let bound = states.withLock({ $0[ObjectIdentifier(eventLoop)] }) else { return }
        if eventLoop.inEventLoop {
            work(bound.value)
        } else {
            eventLoop.execute { work(bound.value) }
        }
    }

    /// The answer of one of the loops.
    func ask<Value: Sendable>(_ question: @escaping @Sendable (LoopState) -> Value) async -> Value {
        await withCheckedContinuation { continuation in
            perform { continuation.resume(returning: question($0)) }
        }
    }

    /// Does something on every loop, one after another, and returns when all have done it.
    private func each<Value: Sendable>(
        _ work: @escaping @Sendable (LoopState) -> Value
    ) async -> [Value] {
        var values: [Value] = []
        for eventLoop in all {
            guard let bound = states.withLock({ $0[ObjectIdentifier(eventLoop)] }) else {
                continue
            }
            if let value = try? await eventLoop.submit({ work(bound.value) }).get() {
                values.append(value)
            }
        }
        return values
    }

    func publish(_ table: RoutingTable) async { _ = await each { $0.table = table } }

    func drain(closingIdle: Bool) async { _ = await each { $0.drain(closingIdle: closingIdle) } }

    func connectionCount() async -> Int { await each { $0.connectionCount }.reduce(0, +) }

    /// What every loop does twice a second: end slow connections, send the log's records on.
    func tick() async {
        _ = await each { state in
            let now = NIODeadline.now()
            state.log.setClock(
                millisecondsSince1970: state.shared.time.now().millisecondsSince1970, now: now)
            state.log.flush()
            state.accessLog?.flush()
            state.sweep(now: now)
        }
    }
}
