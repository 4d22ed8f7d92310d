package import AloftClient
package import AloftDomain
import AloftInference
import AloftWire
package import Logging

/// The data plane's process: answers predictions as the desired state says.
package struct Gateway: Sendable {
    let configuration: GatewayConfiguration
    let client: ServerClient
    let tokens: TokenAuthenticator?
    let python: (any PythonModelLoader)?
    let listeners: [any GatewayListener]
    let time: TimeSource
    let chance: Chance
    let logger: Logger

    /// - Parameters:
    ///   - client: calls the server with the gateway's own token.
    ///   - tokens: checks callers; `nil` lets everybody in.
    ///   - listeners: further protocols to serve.
    package init(
        configuration: GatewayConfiguration, client: ServerClient, tokens: TokenAuthenticator?,
        python: (any PythonModelLoader)?, listeners: [any GatewayListener] = [], time: TimeSource,
        chance: Chance, logger: Logger
    ) {
        self.configuration = configuration
        self.client = client
        self.tokens = tokens
        self.python = python
        self.listeners = listeners
        self.time = time
        self.chance = chance
        self.logger = logger
    }

    /// Runs until the task is cancelled or another gateway has taken over, then answers what has begun
    /// and ends.
    ///
    /// Where a gateway runs on the same folder and address, this one loads its models first, then
    /// takes over the socket on which clients connect; no connection is refused.
    ///
    /// - Parameter onListening: called with the address when requests are taken.
    /// - Throws: `InferenceError.runtimeMissing`, `GatewayStartFailure`, or an `IOError` where it
    ///   cannot listen.
    package func run(
        onListening: @escaping @Sendable (ListenAddress) -> Void = { _ in }
    ) async throws {
        let parts = try makeParts()
        try await parts.loops.start(
            shared: parts.shared, log: parts.log, incarnation: parts.incarnation,
            seeds: { chance.next() })
        let stored = parts.follower.stored()
        if let stored { await parts.manager.apply(stored, isFromDisk: true) }
        let http = try await listen(parts)
        logger.info(
            "listening",
            metadata: [
                "url": "\(http.address.url)", "runtime": "\(parts.library.version)",
            ])
        onListening(http.address)
        var failure: (any Error)?
        do {
            try await serve(http, parts, from: stored)
        } catch {
            failure = error
        }
        await parts.stop()
        if let failure { throw failure }
    }

    /// Answers and follows the desired state until the task is cancelled or another gateway has taken
    /// over, then lets what has begun end.
    ///
    /// - Throws: what a further listener threw.
    private func serve(
        _ http: HTTPListener, _ parts: GatewayParts, from stored: DesiredState?
    ) async throws {
        try await withThrowingDiscardingTaskGroup { tasks in
            for listener in listeners {
                tasks.addTask {
                    // A listener that cannot be opened ends the wait below, and the gateway.
                    defer { http.endOfTurn.finish() }
                    try await serve(listener, http, parts)
                }
            }
            tasks.addTask { await parts.follower.run(from: stored) }
            tasks.addTask { await parts.reporter.run(due: parts.reportsDue) }
            if configuration.shipsLog { tasks.addTask { await parts.shipper.run() } }
            tasks.addTask { await tick(parts) }
            // Ends with the task, or when another gateway has taken over.
            for await _ in http.turn {}
            await http.close()
            // Listeners end while connections of HTTP/1.1 do.
            tasks.cancelAll()
            await drain(parts.loops, parts.manager, isSucceeded: http.point.isTaken)
        }
    }

    /// What every event loop does twice a second, until the task is cancelled.
    private func tick(_ parts: GatewayParts) async {
        while !Task.isCancelled {
            try? await time.clock.sleep(for: .milliseconds(500))
            await parts.loops.tick()
        }
        parts.reportDue.finish()
    }
}
