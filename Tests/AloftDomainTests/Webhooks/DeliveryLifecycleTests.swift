import AloftDomain
import Foundation
import Testing

struct DeliveryLifecycleTests {
    private static let now = Date(timeIntervalSince1970: 1_700_000_000)
    private static let later = now.addingTimeInterval(60)

    private static let waiting = DeliveryLifecycle.State.waiting(attempt: 2, dueAt: now)
    private static let sending = DeliveryLifecycle.State.sending(attempt: 2, leaseUntil: later)
    private static let delivered = DeliveryLifecycle.State.delivered(attempt: 2)
    private static let failed = DeliveryLifecycle.State.failed(attempt: 2, reason: "410")
    private static let retry = DeliveryLifecycle.State.waiting(attempt: 3, dueAt: later)

    private static let claimed = DeliveryLifecycle.Event.claimed(leaseUntil: later)
    private static let accepted = DeliveryLifecycle.Event.accepted(attempt: 2)
    private static let refused = DeliveryLifecycle.Event.refused(attempt: 2, reason: "410")
    private static let missed = DeliveryLifecycle.Event.missed(
        attempt: 2, retryAt: later, reason: "503")
    private static let expired = DeliveryLifecycle.Event.leaseExpired(retryAt: later)

    /// `nil` where the event is refused.
    private static let table:
        [(DeliveryLifecycle.State, DeliveryLifecycle.Event, DeliveryLifecycle.State?)] = [
            (waiting, claimed, sending), (waiting, accepted, waiting), (waiting, refused, waiting),
            (waiting, missed, waiting), (waiting, expired, nil),
            (sending, claimed, nil), (sending, accepted, delivered), (sending, refused, failed),
            (sending, missed, retry), (sending, expired, retry),
            (delivered, claimed, nil), (delivered, accepted, delivered),
            (delivered, refused, delivered), (delivered, missed, delivered),
            (delivered, expired, delivered),
            (failed, claimed, nil), (failed, accepted, failed), (failed, refused, failed),
            (failed, missed, failed), (failed, expired, failed),
        ]

    @Test func `every pair of state and event is decided`() {
        for (state, event, expected) in Self.table {
            var lifecycle = DeliveryLifecycle(state: state)
            do {
                try lifecycle.apply(event)
                #expect(lifecycle.state == expected, "\(state) \(event)")
            } catch {
                #expect(expected == nil && lifecycle.state == state, "\(state) \(event)")
            }
        }
    }

    @Test func `news of an attempt that was given up changes nothing`() throws {
        var lifecycle = DeliveryLifecycle(state: Self.sending)
        try lifecycle.apply(.accepted(attempt: 1))
        try lifecycle.apply(.refused(attempt: 1, reason: "404"))
        try lifecycle.apply(.missed(attempt: 1, retryAt: Self.now, reason: "503"))
        #expect(lifecycle.state == Self.sending)
    }

    @Test func `the last attempt ends a delivery`() throws {
        let last = DeliveryLifecycle.maxAttempts
        var lifecycle = DeliveryLifecycle(
            state: .sending(attempt: last, leaseUntil: Self.later))
        try lifecycle.apply(.missed(attempt: last, retryAt: Self.later, reason: "503"))
        #expect(lifecycle.state == .failed(attempt: last, reason: "503"))
    }

    @Test func `pauses grow to ten minutes`() {
        let pauses = (1...16).map { DeliveryLifecycle.pause(after: $0) }
        #expect(pauses.prefix(4) == [.seconds(1), .seconds(2), .seconds(4), .seconds(8)])
        #expect(pauses.last == .seconds(600) && pauses == pauses.sorted())
    }

    @Test func `addresses inside of a network are no public ones`() {
        let hidden: [[UInt8]] = [
            [127, 0, 0, 1], [10, 1, 2, 3], [172, 31, 0, 1], [192, 168, 1, 1], [169, 254, 169, 254],
            [100, 64, 0, 1], [0, 0, 0, 0], [224, 0, 0, 1], [255, 255, 255, 255],
            [UInt8](repeating: 0, count: 15) + [1],
            [UInt8](repeating: 0, count: 10) + [0xFF, 0xFF, 10, 0, 0, 1],
            [0xFD] + [UInt8](repeating: 0, count: 14) + [1],
            [0xFE, 0x80] + [UInt8](repeating: 0, count: 13) + [1],
            [0x20, 0x02, 192, 168, 1, 1] + [UInt8](repeating: 0, count: 10),
            [0, 0x64, 0xFF, 0x9B, 0, 0, 0, 0, 0, 0, 0, 0, 127, 0, 0, 1],
        ]
        for bytes in hidden { #expect(NetworkAddress(bytes: bytes)?.isPublic == false, "\(bytes)") }
        let open: [[UInt8]] = [
            [1, 1, 1, 1], [172, 32, 0, 1], [100, 128, 0, 1],
            [0x26, 0x06, 0x47, 0x00] + [UInt8](repeating: 0, count: 11) + [1],
            [0x20, 0x02, 1, 1, 1, 1] + [UInt8](repeating: 0, count: 10),
        ]
        for bytes in open { #expect(NetworkAddress(bytes: bytes)?.isPublic == true, "\(bytes)") }
        #expect(NetworkAddress(bytes: [1, 2, 3]) == nil)
    }
}
