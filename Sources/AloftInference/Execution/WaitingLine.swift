/// Calls that wait: those of higher priority first, and in the order of their arrival within one.
struct WaitingLine {
    private(set) var calls: [QueuedCall] = []
    private(set) var counts = PriorityCounts()

    var isEmpty: Bool { calls.isEmpty }

    mutating func append(_ call: QueuedCall) {
        // The usual case needs no search: nothing of lower priority waits.
        let place = counts.ahead(of: call.priority)
        calls.insert(call, at: place)
        counts[call.priority] += 1
    }

    /// Takes the first calls out; `count` of them are there.
    mutating func takeFirst(_ count: Int) -> [QueuedCall] {
        let taken = Array(calls.prefix(count))
        calls.removeFirst(taken.count)
        for call in taken { counts[call.priority] -= 1 }
        return taken
    }

    /// Takes out the last that waits with this priority.
    mutating func takeLast(_ priority: CallPriority) -> QueuedCall? {
        guard counts[priority] > 0 else { return nil }
        counts[priority] -= 1
        return calls.remove(at: counts.ahead(of: priority))
    }

    mutating func takeAll(where isWanted: (QueuedCall) -> Bool) -> [QueuedCall] {
        let taken = calls.filter(isWanted)
        guard !taken.isEmpty else { return [] }
        calls.removeAll(where: isWanted)
        for call in taken { counts[call.priority] -= 1 }
        return taken
    }
}
