import AloftDomain
import Testing

@testable import AloftGateway

@Suite struct MemoryPlanTests {
    private func occupant(
        _ name: String, _ bytes: Int, used: UInt64, isPinned: Bool = false
    ) -> MemoryPlan.Occupant {
        .init(endpoint: name, bytes: bytes, lastUsed: used, isPinned: isPinned)
    }

    @Test func `what fits evicts nothing`() {
        let plan = MemoryPlan.make(room: 10, of: 100, residents: [occupant("a", 90, used: 1)])
        #expect(plan == MemoryPlan())
    }

    @Test func `the least recently used go first, and no more than needed`() {
        let plan = MemoryPlan.make(
            room: 30, of: 100,
            residents: [
                occupant("new", 40, used: 9), occupant("old", 20, used: 1),
                occupant("older", 20, used: 0), occupant("middle", 20, used: 5),
            ])
        #expect(plan.evicted == ["older", "old"])
        #expect(plan.missingBytes == 0)
    }

    @Test func `who is pinned stays, and what is missing is said`() {
        let plan = MemoryPlan.make(
            room: 50, of: 100,
            residents: [
                occupant("rollout", 80, used: 0, isPinned: true), occupant("b", 10, used: 3),
            ])
        #expect(plan.evicted == ["b"])
        #expect(plan.missingBytes == 30)
    }

    @Test(arguments: 0..<200)
    func `a plan fits unless what is pinned alone does not, and evicts nobody in vain`(
        seed: UInt64
    ) {
        var random = SplitMix64(seed: seed)
        func number(_ limit: UInt64) -> Int { Int(random.next() % limit) }
        let residents = (0..<number(20)).map { index in
            occupant(
                "\(index)", number(50), used: UInt64(number(9)), isPinned: number(4) == 0)
        }
        let (room, limit) = (number(60), 1 + number(300))
        let plan = MemoryPlan.make(room: room, of: limit, residents: residents)
        let kept = residents.filter { !plan.evicted.contains($0.endpoint) }
        let total = kept.reduce(room) { $0 + $1.bytes }
        let keptPinned = kept.count { $0.isPinned }
        #expect(residents.count { $0.isPinned } == keptPinned)
        #expect(max(0, total - limit) == plan.missingBytes)
        let onlyPinned = kept.allSatisfy { $0.isPinned }
        #expect(plan.missingBytes == 0 || onlyPinned)
        if let last = plan.evicted.last,
            let bytes = residents.first(where: { $0.endpoint == last })?.bytes
        {
            #expect(total + bytes > limit)
        }
    }
}
