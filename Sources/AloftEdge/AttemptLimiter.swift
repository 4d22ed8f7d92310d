package import NIOCore
import Synchronization

/// Where a caller is, as far as it counts for limits: an IPv4 address, or the network of an IPv6 one, of
/// which one caller has as many addresses as they like.
package struct RemoteAddress: Hashable, Sendable, CustomStringConvertible {
    private let high: UInt64
    private let low: UInt64

    package init?(_ address: SocketAddress?) {
        guard let address else { return nil }
        // As the kernel lays them out (ip(7), ipv6(7)).
        let words = address.withSockAddr { pointer, size -> (UInt64, UInt64)? in
            let bytes = UnsafeRawBufferPointer(start: UnsafeRawPointer(pointer), count: size)
            switch address {
            case .v4:
                guard size >= 8 else { return nil }
                let word = bytes.loadUnaligned(fromByteOffset: 4, as: UInt32.self)
                return (0, 0xFFFF_0000_0000 | UInt64(UInt32(bigEndian: word)))
            case .v6:
                guard size >= 24 else { return nil }
                let high = UInt64(
                    bigEndian: bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
                let low = UInt64(
                    bigEndian: bytes.loadUnaligned(fromByteOffset: 16, as: UInt64.self))
                // Without a network it is an IPv4 address that came in as an IPv6 one, or ::1.
                return (high, high == 0 ? low : 0)
            case .unixDomainSocket: return nil
            }
        }
        guard let words else { return nil }
        (high, low) = words
    }

    package var description: String {
        guard high == 0 else { return String(high, radix: 16) + "::/64" }
        guard low >> 32 == 0xFFFF else { return "::" + String(low, radix: 16) }
        return [24, 16, 8, 0].map { "\(low >> UInt64($0) & 255)" }.joined(separator: ".")
    }
}

/// A rate limiter of token buckets. How often strangers may try a token: each try of one that is not
/// known costs a question, to the server or to the database. Per place, and for all together. Bounded,
/// whoever connects.
package final class AttemptLimiter: Sendable {
    package struct Rate: Sendable {
        /// So many at once,
        var burst: Double
        /// and so many a second for long.
        var perSecond: Double

        package init(burst: Double, perSecond: Double) {
            self.burst = burst
            self.perSecond = perSecond
        }
    }

    private struct Bucket {
        var left: Double
        var at: NIODeadline

        mutating func take(_ rate: Rate, _ now: NIODeadline) -> Bool {
            let seconds = Double(max(0, (now - at).nanoseconds)) / 1e9
            left = min(rate.burst, left + seconds * rate.perSecond)
            at = now
            guard left >= 1 else { return false }
            left -= 1
            return true
        }

        func isFull(_ rate: Rate, _ now: NIODeadline) -> Bool {
            left + Double(max(0, (now - at).nanoseconds)) / 1e9 * rate.perSecond >= rate.burst
        }
    }

    private struct State {
        var all: Bucket
        var places: [RemoteAddress: Bucket] = [:]
    }

    private let perPlace: Rate
    private let all: Rate
    private let now: @Sendable () -> NIODeadline
    private let state: Mutex<State>

    private static let mostPlaces = 10_000

    package init(
        perPlace: Rate = Rate(burst: 20, perSecond: 2), all: Rate = Rate(burst: 100, perSecond: 20),
        now: @escaping @Sendable () -> NIODeadline = { .now() }
    ) {
        self.perPlace = perPlace
        self.all = all
        self.now = now
        state = Mutex(State(all: Bucket(left: all.burst, at: now())))
    }

    /// Whether a token that nobody knows may be looked up for a caller at this place.
    package func mayTry(from place: RemoteAddress?) -> Bool {
        let now = now()
        return state.withLock { state in
            if let place {
                let fresh = Bucket(left: perPlace.burst, at: now)
                guard state.places[place, default: fresh].take(perPlace, now) else { return false }
                if state.places.count > Self.mostPlaces {
                    state.places = state.places.filter { !$0.value.isFull(perPlace, now) }
                    // Those who come from everywhere have the rate of all in common.
                    if state.places.count > Self.mostPlaces / 2 { state.places = [:] }
                }
            }
            return state.all.take(all, now)
        }
    }

    /// Gives an attempt back that was none: the token is known.
    package func wasKnown(from place: RemoteAddress?) {
        state.withLock { state in
            state.all.left = min(all.burst, state.all.left + 1)
            if let place, let bucket = state.places[place] {
                state.places[place]?.left = min(perPlace.burst, bucket.left + 1)
            }
        }
    }

    /// How many places are remembered.
    package var placeCount: Int { state.withLock { $0.places.count } }
}
