import AloftDomain
import NIOCore
import NIOEmbedded
import Testing

@testable import AloftEdge

/// Who gives way when descriptors run short.
@Suite struct ConnectionTableTests {
    private final class Member: TabledConnection {
        var idleSince: NIODeadline?
        var answeringSince: NIODeadline?
        var hasGivenWay = false
        weak var table: ConnectionTable?

        init(idleSince: Int64? = nil, answeringSince: Int64? = nil) {
            self.idleSince = idleSince.map { .uptimeNanoseconds(UInt64($0)) }
            self.answeringSince = answeringSince.map { .uptimeNanoseconds(UInt64($0)) }
        }

        func giveWay() {
            hasGivenWay = true
            table?.closed(self)
        }

        func sweep(now: NIODeadline) {}
    }

    private static func makeTable(_ loop: EmbeddedEventLoop) -> ConnectionTable {
        ConnectionTable(eventLoop: loop, limit: DescriptorLimit(count: 100))
    }

    @Test func `below the limit nobody gives way`() {
        let table = Self.makeTable(EmbeddedEventLoop())
        let members = (0..<79).map { Member(idleSince: $0) }
        for (number, member) in members.enumerated() {
            #expect(table.opened(member, descriptor: CInt(number)))
        }
        #expect(members.allSatisfy { !$0.hasGivenWay })
    }

    @Test func `each newcomer costs the oldest idle one its place`() {
        let table = Self.makeTable(EmbeddedEventLoop())
        let busy = Member(answeringSince: 0)
        let (old, young) = (Member(idleSince: 5), Member(idleSince: 9))
        for member in [young, busy, old] {
            member.table = table
            #expect(table.opened(member, descriptor: 10))
        }
        let newcomer = Member(idleSince: 10)
        #expect(table.opened(newcomer, descriptor: 80))
        #expect(old.hasGivenWay && !young.hasGivenWay && !busy.hasGivenWay)
        #expect(table.count == 3)
    }

    @Test func `a flood of silent connections keeps to its share`() {
        let table = Self.makeTable(EmbeddedEventLoop())
        var members: [Member] = []
        for number in 0..<10_000 {
            let member = Member(idleSince: Int64(number))
            member.table = table
            members.append(member)
            // The kernel gives the lowest number that is free.
            #expect(table.opened(member, descriptor: CInt(20 + table.count)))
        }
        #expect(table.count <= 61)
        #expect(members.suffix(50).allSatisfy { !$0.hasGivenWay })
    }

    @Test func `where all are being answered the longest gives way, or the newcomer`() {
        let loop = EmbeddedEventLoop()
        loop.advanceTime(by: .seconds(100))
        let table = Self.makeTable(loop)
        let seconds = { (value: Int64) in value * 1_000_000_000 }
        let members = [95, 60, 92].map { Member(answeringSince: seconds($0)) }
        for member in members {
            member.table = table
            #expect(table.opened(member, descriptor: 90))
        }
        #expect(table.opened(Member(answeringSince: seconds(100)), descriptor: 96))
        #expect(members.map(\.hasGivenWay) == [false, true, false])
        // None has been answered for ten seconds.
        #expect(!table.opened(Member(idleSince: seconds(100)), descriptor: 96))
    }

    @Test func `other loops are asked where this one has none to give`() {
        var pressed = 0
        let table = ConnectionTable(
            eventLoop: EmbeddedEventLoop(), limit: DescriptorLimit(count: 100)
        ) { pressed += 1 }
        #expect(table.opened(Member(answeringSince: 1), descriptor: 85))
        #expect(pressed == 1)
    }

    @Test func `the limit of the process is raised as far as it may be`() {
        let raised = DescriptorLimit.raised()
        #expect(raised.count >= 256)
        #expect(DescriptorLimit.raised() == raised)
        #expect(raised.softLimit < raised.full && raised.full < raised.count)
    }
}

@Suite struct ByteBudgetTests {
    @Test func `what does not fit is not taken, and what was is given back`() {
        let budget = ByteBudget(limitBytes: 100)
        #expect(budget.take(60) && !budget.take(41) && budget.take(40))
        #expect(budget.heldBytes == 100)
        budget.give(60)
        #expect(budget.take(60))
        budget.hold(1)
        #expect(budget.isOver)
    }

    @Test func `the budget is a share of the memory that there is`() {
        #expect(ByteBudget.share(largest: 1 << 20, memory: 8 << 30, cgroupLimit: nil) == 1 << 30)
        #expect(
            ByteBudget.share(largest: 1 << 20, memory: 8 << 30, cgroupLimit: "max\n") == 1 << 30)
        #expect(
            ByteBudget.share(largest: 1 << 20, memory: 8 << 30, cgroupLimit: "1073741824\n")
                == 128 << 20)
        #expect(
            ByteBudget.share(largest: 64 << 20, memory: 1 << 30, cgroupLimit: nil) == 256 << 20)
    }
}

@Suite struct AttemptLimiterTests {
    private final class Clock: @unchecked Sendable {  // used from one test's thread only
        var now = NIODeadline.uptimeNanoseconds(1_000_000_000)
    }

    private static func place(_ text: String) -> RemoteAddress? {
        RemoteAddress(try? SocketAddress(ipAddress: text, port: 1))
    }

    private static func make(_ clock: Clock) -> AttemptLimiter {
        AttemptLimiter(
            perPlace: .init(burst: 5, perSecond: 1), all: .init(burst: 50, perSecond: 10),
            now: { clock.now })
    }

    @Test func `one place has its share and others have theirs`() {
        let clock = Clock()
        let limiter = Self.make(clock)
        let (one, other) = (Self.place("10.0.0.1"), Self.place("10.0.0.2"))
        #expect((0..<20).count { _ in limiter.mayTry(from: one) } == 5)
        #expect((0..<20).count { _ in limiter.mayTry(from: other) } == 5)
        clock.now = clock.now + .seconds(2)
        #expect((0..<20).count { _ in limiter.mayTry(from: one) } == 2)
        limiter.wasKnown(from: one)
        #expect((0..<20).count { _ in limiter.mayTry(from: one) } == 1)
    }

    @Test func `a network of IPv6 is one place`() {
        #expect(Self.place("2001:db8::1") == Self.place("2001:db8::ffff:1"))
        #expect(Self.place("2001:db8::1") != Self.place("2001:db8:0:1::1"))
        #expect(Self.place("10.0.0.1") == Self.place("::ffff:10.0.0.1"))
        #expect(Self.place("10.0.0.1")?.description == "10.0.0.1")
        #expect(RemoteAddress(nil) == nil)
    }

    @Test func `callers from everywhere share one rate and leave little behind`() {
        let clock = Clock()
        let limiter = Self.make(clock)
        var tried = 0
        for number in 0..<30_000 {
            let text = "10.\(number >> 16 & 255).\(number >> 8 & 255).\(number & 255)"
            if limiter.mayTry(from: Self.place(text)) { tried += 1 }
        }
        #expect(tried == 50)
        #expect(limiter.placeCount <= 10_001)
    }
}

@Suite struct HostCheckTests {
    @Test func `an address that the machine got later is found`() throws {
        final class Machine: @unchecked Sendable {  // used from one test's thread only
            var names = ["192.168.0.1"]
            var now = NIODeadline.uptimeNanoseconds(0)
        }
        let machine = Machine()
        let check = HostCheck(
            listen: [ListenAddress(host: "0.0.0.0", port: 1)], names: [],
            machine: { machine.names }, now: { machine.now })
        let (one, two) = (
            try #require(RequestAuthority("192.168.0.1")),
            try #require(RequestAuthority("10.9.9.9"))
        )
        #expect(check.isKnown(one) && !check.isKnown(two))
        machine.names = ["10.9.9.9"]
        #expect(!check.isKnown(two))
        machine.now = machine.now + .seconds(6)
        #expect(check.isKnown(two))
    }

    @Test func `the machine's own names are found`() {
        let names = HostCheck.ownNames()
        #expect(names.contains("127.0.0.1"))
        #expect(names.allSatisfy { !$0.isEmpty })
    }
}
