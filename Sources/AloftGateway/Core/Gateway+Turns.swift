import AloftDomain
import Foundation
import NIOCore

/// How a gateway takes the place of another, and how it ends.
extension Gateway {
    /// What those who were refused at the end have to read it.
    static let refusalTime = Duration.seconds(1)

    /// The sockets of the gateway before, once this one can answer what that one answers: that of
    /// HTTP/1.1 and those of further listeners, by address. Nothing where there is none.
    func takeSockets(
        _ predecessor: Predecessor?, _ manager: ModelManager
    ) async throws -> (Succession?, [ListenAddress: ListeningSocket]) {
        guard let predecessor else { return (nil, [:]) }
        await manager.settle(within: configuration.handoverTimeout)
        var handed: [ListenAddress: ListeningSocket] = [:]
        for listener in listeners {
            handed[listener.listen] = predecessor.listener(at: listener.listen)
        }
        return (try predecessor.take(configuration.listen), handed)
    }

    /// The socket of a further listener. A gateway before that does not hand its own over lets go of the
    /// address only when this one has taken over, so it is tried for a while.
    ///
    /// - Throws: `GatewayStartFailure.cannotListen`.
    func open(
        _ listener: any GatewayListener, handed: ListeningSocket?, isSuccessor: Bool
    ) async throws -> ListeningSocket {
        if let handed { return handed }
        var attempt = 0
        while true {
            do {
                return try ListeningSocket.open(listener.listen)
            } catch {
                attempt += 1
                guard isSuccessor, attempt < 400, !Task.isCancelled else {
                    throw GatewayStartFailure.cannotListen(
                        name: listener.name, address: listener.listen, reason: "\(error)")
                }
                try? await time.clock.sleep(for: .milliseconds(25))
            }
        }
    }

    /// Lets connections answer what they have until the limit, then refuses what still waits. Where
    /// another gateway took over, they first have time to end at an answer of their own, so that no
    /// client finds its idle connection closed just as it sends. Runs in a cancelled task, so it waits
    /// in one of its own.
    func drain(_ loops: EventLoops, _ manager: ModelManager, isSucceeded: Bool) async {
        let (time, grace) = (time, isSucceeded ? configuration.handoverGrace : .zero)
        let limit = configuration.drainLimit
        await Task.detached {
            func wait(_ limit: Duration) async {
                let end = NIODeadline.now() + TimeAmount(limit)
                while NIODeadline.now() < end {
                    if await loops.connectionCount() == 0, await !manager.isAnswering { break }
                    try? await time.clock.sleep(for: .milliseconds(50))
                    await loops.tick()
                }
            }
            if grace > .zero {
                await loops.drain(closingIdle: false)
                await wait(grace)
            }
            await loops.drain(closingIdle: true)
            await wait(limit)
            await manager.refuseWaiting()
            await wait(Self.refusalTime)
        }.value
    }
}
