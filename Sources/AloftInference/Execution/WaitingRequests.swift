/// Calls that wait, in the order of their arrival. Who matters more is let in sooner, not answered
/// sooner: queues are kept short, and who is overtaken again and again in one would wait longest.
package struct WaitingRequests {
    package private(set) var calls: [QueuedRequest] = []
    package private(set) var counts = PriorityCounts()
    /// What they hold in memory.
    package private(set) var heldBytes = 0

    package init() {}

    package mutating func append(_ call: QueuedRequest) {
        calls.append(call)
        counts[call.priority] += 1
        heldBytes += call.heldBytes
    }

    /// Takes out the calls at these places, which ascend.
    package mutating func take(at places: [Int]) -> [QueuedRequest] {
        let taken = places.map { calls[$0] }
        if places.last == places.count - 1 {
            // traps: the places ascend to the last, so there are so many
            calls.removeFirst(places.count)
        } else {
            var next = 0
            var kept: [QueuedRequest] = []
            kept.reserveCapacity(calls.count - places.count)
            for (place, call) in calls.enumerated() {
                if next < places.count, places[next] == place {
                    next += 1
                } else {
                    kept.append(call)
                }
            }
            calls = kept
        }
        for call in taken {
            counts[call.priority] -= 1
            heldBytes -= call.heldBytes
        }
        return taken
    }

    package mutating func takeFirst() -> QueuedRequest? { calls.isEmpty ? nil : take(at: [0])[0] }

    /// Takes out the last that waits with this priority.
    package mutating func takeLast(_ priority: RequestPriority) -> QueuedRequest? {
        guard let place = calls.lastIndex(where: { $0.priority == priority }) else { return nil }
        counts[priority] -= 1
        heldBytes -= calls[place].heldBytes
        return calls.remove(at: place)
    }

    package mutating func takeAll(where isWanted: (QueuedRequest) -> Bool = { _ in true })
        -> [QueuedRequest]
    {
        take(at: calls.indices.filter { isWanted(calls[$0]) })
    }
}
