import AloftClient
import AloftDomain
import AloftWire
import Logging

/// Tells the server what the gateway runs and counted: at once when a revision's state changes, every
/// second while there is traffic, and every five seconds in any case.
struct Reporter: Sendable {
    let client: ServerClient
    let gateway: GatewayID
    let incarnation: String
    let manager: ModelManager
    let shadows: ShadowRunner
    let unrouted: UnroutedCounts
    let time: TimeSource
    let logger: Logger

    /// - Parameter changes: one for each change of a revision's state.
    func run(due changes: AsyncStream<Void>) async {
        await withDiscardingTaskGroup { group in
            let (due, signal) = AsyncStream.makeStream(
                of: Bool.self, bufferingPolicy: .bufferingNewest(4))
            group.addTask { for await _ in changes { signal.yield(true) } }
            group.addTask {
                while !Task.isCancelled {
                    try? await time.clock.sleep(for: .seconds(1))
                    signal.yield(false)
                }
                signal.finish()
            }
            var last: GatewayReport?
            var quietTicks = 0
            for await isChange in due {
                if Task.isCancelled { return }
                let report = await makeReport()
                quietTicks += isChange ? 0 : 1
                guard report != last || quietTicks >= 5 else { continue }
                do {
                    _ = try await client.call(
                        ReportGateway.self, body: report, timeout: .seconds(5))
                    last = report
                    quietTicks = 0
                } catch {
                    // The next second tries again; the follower says that the server is away.
                    logger.debug("a report was not taken", metadata: ["error": "\(error)"])
                }
            }
        }
    }

    func makeReport() async -> GatewayReport {
        // By what clients are answered: read before the revisions, which may only be newer.
        let revision = await manager.servedRevision
        let (copies, unrouted) = (shadows.reports(), unrouted.read)
        return GatewayReport(
            gateway: gateway, incarnation: incarnation, desiredRevision: revision,
            revisions: await manager.readings().map(\.report),
            shadows: copies.isEmpty ? nil : copies, unrouted: unrouted.isEmpty ? nil : unrouted)
    }
}
