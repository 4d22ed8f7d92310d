package import AloftDomain
package import AloftStore
package import Logging

/// Drives every sweep: looks at its trials, plans, and carries the plan out in one transaction, so
/// that a trial, its run, its job and the search that chose it exist together or not at all.
package struct SweepController: Sendable {
    static let principal = Principal.controller(name: "sweeps")

    private static let ofTrials: ChangeSignal.Kinds = [.state, .logging]

    private let store: Store
    private let time: TimeSource
    private let chance: Chance
    private let logger: Logger

    package init(store: Store, time: TimeSource, chance: Chance, logger: Logger) {
        self.store = store
        self.time = time
        self.chance = chance
        self.logger = logger
    }

    /// Returns when the task is cancelled. Looks after every commit, at most ten times a second.
    package func run() async throws {
        while !Task.isCancelled {
            let (state, all) = (
                store.changes.count(), store.changes.count(of: Self.ofTrials)
            )
            // What trials log decides which of them go on; without any it concerns nobody here.
            let isAnyLive = try await look().isAnyLive
            await store.changes.wait(
                after: isAnyLive ? all : state, of: isAnyLive ? Self.ofTrials : .state,
                upTo: .seconds(30), clock: time.clock)
            try await time.clock.sleep(for: .milliseconds(100))
        }
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
        let isDone = try await store.write { try application.apply($0) }
        logger.debug(
            "sweep advanced",
            metadata: ["sweep": "\(id)", "started": "\(names.count)", "applied": "\(isDone)"])
        return isDone
    }
}
