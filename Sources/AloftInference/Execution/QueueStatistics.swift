import NIOCore

/// What a queue of requests did since its model was loaded, for metrics.
package struct QueueStatistics: Sendable, Equatable {
    package var waiting = 0
    /// Calls shed, by priority.
    package var shed = PriorityCounts()
    /// Calls whose deadline passed as they waited.
    package var late = 0
    /// Calls of the model by the number of requests that shared one: 1, 2, up to 4, 8, 16, 32, more.
    package var batches = [UInt64](repeating: 0, count: Self.batchBounds.count + 1)
    package var batchedRequests: UInt64 = 0
    /// Summed over the requests that the model was asked: how long each waited for its turn, and how long
    /// the call took that it had its part in.
    package var queuedNanoseconds: UInt64 = 0
    package var ranNanoseconds: UInt64 = 0

    package static let batchBounds = [1, 2, 4, 8, 16, 32, 64]

    package init() {}

    mutating func ran(requests: Int) {
        let bucket =
            Self.batchBounds.firstIndex { requests <= $0 } ?? Self.batchBounds.count
        batches[bucket] += 1
        batchedRequests += UInt64(clamping: requests)
    }

    /// A call of the model that so many requests shared was over.
    ///
    /// - Parameter queued: how long they had waited, all together.
    mutating func spent(requests: Int, queued: UInt64, ran: TimeAmount) {
        queuedNanoseconds &+= queued
        ranNanoseconds &+= UInt64(clamping: requests) &* UInt64(clamping: ran.nanoseconds)
    }

    /// How long requests waited that came into a queue then, all together.
    static func queued(
        _ came: some Sequence<NIODeadline>, until begin: NIODeadline
    ) -> UInt64 {
        came.reduce(0) { $0 &+ UInt64(clamping: (begin - $1).nanoseconds) }
    }
}
