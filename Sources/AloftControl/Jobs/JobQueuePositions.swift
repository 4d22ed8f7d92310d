package import AloftDomain
package import AloftScheduling
package import AloftStore
package import Foundation

/// Where waiting jobs stand in the queue: asked of the planner that gives out the places, so that what is
/// shown is what will happen.
package struct JobQueuePositions: Sendable {
    /// A job's place, and why it has to wait.
    package struct Place: Sendable, Equatable {
        /// From 1.
        package var number: Int
        /// How many wait.
        package var of: Int
        /// `cpus`, `memory`, `gpus`, `group` or `turn`.
        package var code: String
        package var explanation: String
    }

    private let capacity: Capacity

    package init(capacity: Capacity) { self.capacity = capacity }

    /// Of every job that waits. One that is about to begin, or that was queued this moment and fits, has
    /// none.
    package func places(_ db: Transaction, at now: Date) throws -> [JobID: Place] {
        let plan = JobPlanner.plan(
            JobSnapshot(
                jobs: try JobQueries.live(db), slots: try JobQueries.heldSlots(db),
                capacity: capacity, now: now))
        let places = plan.queue.enumerated().map { index, wait in
            let place = Place(
                number: index + 1, of: plan.queue.count, code: wait.reason.rawValue,
                explanation: wait.explanation)
            return (wait.job, place)
        }
        return Dictionary(places, uniquingKeysWith: { first, _ in first })
    }
}
