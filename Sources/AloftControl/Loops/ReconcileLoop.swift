import AloftDomain
package import AloftStore
package import Logging

/// How a controller runs: turn after turn, each of which reads where everything stands, decides and acts.
/// What wakes it says only "look again"; a turn that is missed or doubled does no harm.
///
/// A commit that comes while a turn is under way makes another turn, so that nothing is slept through. A
/// turn that fails is logged and made again after a pause that doubles up to a bound: everything starts
/// from the tables, so there is nothing to clean up.
package struct ReconcileLoop: Sendable {
    package struct Pace: Sendable {
        /// What makes it look again; nothing where it goes by time alone.
        package var wakesOn: ChangeSignal.Entities
        /// From the end of one turn to the beginning of the next, however much is committed: that many
        /// commits become one look.
        package var leastPause: Duration
        /// It looks again at the latest after so long.
        package var longestWait: Duration
        /// After the first failure; doubled with each further one in a row.
        package var firstBackOff = Duration.seconds(1)
        package var longestBackOff = Duration.seconds(5)

        package init(
            wakesOn: ChangeSignal.Entities = [], leastPause: Duration = .zero,
            longestWait: Duration
        ) {
            self.wakesOn = wakesOn
            self.leastPause = leastPause
            self.longestWait = longestWait
        }
    }

    /// What a turn says of the next one.
    package struct Next: Sendable, Equatable {
        /// When to look again if nothing wakes it before; `nil` for the longest wait.
        package var within: Duration?
        /// What wakes it this time, where that is less or more than usual.
        package var wakesOn: ChangeSignal.Entities?

        package init(within: Duration? = nil, wakesOn: ChangeSignal.Entities? = nil) {
            self.within = within
            self.wakesOn = wakesOn
        }

        /// Nothing is known of it.
        package static let whenWoken = Next()
        package static func within(_ pause: Duration) -> Next { Next(within: pause) }
    }

    package let name: String
    package let pace: Pace
    /// `nil` where it goes by time alone.
    private let changes: ChangeSignal?
    private let clock: any Clock<Duration>
    private let logger: Logger

    package init(
        name: String, pace: Pace, changes: ChangeSignal? = nil, clock: any Clock<Duration>,
        logger: Logger
    ) {
        self.name = name
        self.pace = pace
        self.changes = changes
        self.clock = clock
        self.logger = logger
    }

    /// Returns when the task is cancelled.
    ///
    /// - Throws: `EffectHook.Killed` alone, as which a test ends the process.
    nonisolated(nonsending) package func run(
        _ turn: () async throws -> Next
    ) async throws {
        var failures = 0
        while !Task.isCancelled {
            // Before the turn reads: what is committed meanwhile is news.
            let seen = changes?.count() ?? 0
            do {
                let next = try await turn()
                if failures > 0 { logger.info("works again", metadata: ["controller": "\(name)"]) }
                failures = 0
                await pause(pace.leastPause)
                await wait(after: seen, next)
            } catch let killed as EffectHook.Killed {
                throw killed
            } catch {
                if Task.isCancelled { return }
                failures += 1
                let pause = backOff(after: failures)
                logger.error(
                    "a turn failed",
                    metadata: [
                        "controller": "\(name)", "error": "\(Self.text(of: error))",
                        "again": "\(pause)",
                    ])
                await self.pause(pause)
            }
        }
    }

    private func wait(after seen: UInt64, _ next: Next) async {
        let limit = min(next.within ?? pace.longestWait, pace.longestWait)
        let entities = next.wakesOn ?? pace.wakesOn
        guard let changes, !entities.isEmpty else { return await pause(limit) }
        await changes.wait(after: seen, of: entities, upTo: limit, clock: clock)
    }

    /// Ends early where the task is cancelled, which the loop sees by itself.
    private func pause(_ pause: Duration) async {
        guard pause > .zero else { return }
        try? await clock.sleep(for: pause)
    }

    func backOff(after failures: Int) -> Duration {
        // Beyond thirty doublings the bound holds anyway.
        let doublings = min(max(failures - 1, 0), 30)
        return min(pace.firstBackOff * (1 << doublings), pace.longestBackOff)
    }

    private static func text(of error: any Error) -> String {
        (error as? any Refusal)?.message ?? "\(error)"
    }
}
