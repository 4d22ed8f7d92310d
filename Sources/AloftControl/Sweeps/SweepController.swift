package import AloftDomain
package import AloftStore
package import Logging

/// Drives every sweep: looks at its trials, plans, and carries the plan out in one transaction, so
/// that a trial, its run, its job and the search that chose it exist together or not at all.
package struct SweepController: Sendable {
    static let principal = Principal.controller(name: "sweeps")

    /// Trials' jobs and runs, and what those log, decide which go on; without a sweep under way they
    /// concern nobody here.
    private static let ofTrials: ChangeSignal.Entities = [.sweeps, .jobs, .runs, .metrics]
    private static let pace = ReconcileLoop.Pace(
        wakesOn: ofTrials, leastPause: .milliseconds(100), longestWait: .seconds(30))

    private let store: Store
    private let time: TimeSource
    private let chance: Chance
    private let logger: Logger
    package var effects = EffectHook.none

    package init(store: Store, time: TimeSource, chance: Chance, logger: Logger) {
        self.store = store
        self.time = time
        self.chance = chance
        self.logger = logger
    }

    package var loop: ReconcileLoop {
        ReconcileLoop(
            name: "sweeps", pace: Self.pace, changes: store.changes, clock: time.clock,
            logger: logger)
    }

    package func run() async throws { try await loop.run(turn) }

    package func turn() async throws -> ReconcileLoop.Next {
        try await look().isAnyLive ? .whenWoken : .init(wakesOn: .sweeps)
    }

    /// One look at every sweep that has not ended.
    ///
    /// - Returns: whether anything changed.
    @discardableResult
    package func runOnce() async throws -> Bool { try await look().hasChanged }

    private func look() async throws -> (isAnyLive: Bool, hasChanged: Bool) {
        let live = try await store.read { try SweepQueries.live($0).map(\.id) }
        var hasChanged = false
        for sweep in live {
            if try await advance(sweep) { hasChanged = true }
        }
        return (!live.isEmpty, hasChanged)
    }

    private func advance(_ id: SweepID) async throws -> Bool {
        guard let snapshot = try await store.read({ try SweepSnapshot.read($0, id) }),
            let plan = try planSweep(snapshot)
        else { return false }
        let names = plan.suggestions.map { _ in
            TrialNames(run: chance.identifier(), job: chance.identifier())
        }
        let application = SweepPlanApplication(plan: plan, names: names, now: time.now())
        try effects.willAct("apply a plan")
        let isDone = try await store.write { try application.apply($0) }
        logger.debug(
            "sweep advanced",
            metadata: ["sweep": "\(id)", "started": "\(names.count)", "applied": "\(isDone)"])
        return isDone
    }
}
