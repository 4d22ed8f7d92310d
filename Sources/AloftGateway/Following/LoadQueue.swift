/// What waits to be loaded, in order. Models that load in a moment never wait for those that start a
/// process: of twenty Python models and one of ONNX, the one answers first.
struct LoadQueue<Item: Hashable> {
    private var quick: [Item] = []
    private var slow: [Item] = []

    var isEmpty: Bool { quick.isEmpty && slow.isEmpty }

    func contains(_ item: Item) -> Bool { quick.contains(item) || slow.contains(item) }

    mutating func append(_ item: Item, isQuick: Bool) {
        if isQuick { quick.append(item) } else { slow.append(item) }
    }

    /// Before what nobody waits for.
    mutating func putFirst(_ item: Item, isQuick: Bool) {
        if isQuick { quick.insert(item, at: 0) } else { slow.insert(item, at: 0) }
    }

    mutating func removeAll(where isGone: (Item) -> Bool) {
        quick.removeAll(where: isGone)
        slow.removeAll(where: isGone)
    }

    /// The next where there is a place for it; slow ones only once no quick one waits.
    mutating func next(
        quickPlaces: Int, slowPlaces: Int
    ) -> (item: Item, isQuick: Bool)? {
        // traps: not empty, as each of these lines asks before
        if !quick.isEmpty { return quickPlaces > 0 ? (quick.removeFirst(), true) : nil }
        guard slowPlaces > 0, !slow.isEmpty else { return nil }
        // traps: not empty, as each of these lines asks before
        return (slow.removeFirst(), false)
    }
}
