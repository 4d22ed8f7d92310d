package import Foundation
import Glibc
import Synchronization

/// The process's source of chance: one, handed in, shared between tasks.
package final class Chance: RandomNumberGenerator, Sendable {
    private let state: Mutex<any RandomNumberGenerator & Sendable>

    package init(_ generator: any RandomNumberGenerator & Sendable) { state = Mutex(generator) }

    package static func live() -> Chance { Chance(SystemChance()) }

    package static func seeded(_ seed: UInt64) -> Chance { Chance(SplitMix64(seed: seed)) }

    package func next() -> UInt64 { state.withLock { $0.next() } }

    /// A new identifier; see `Identifier.random`.
    package func identifier<Entity>(prefix: String = "") -> Identifier<Entity> {
        var generator = self
        return .random(prefix: prefix, using: &generator)
    }

    /// A new identifier that follows those made before; see `Identifier.successive`.
    package func identifier<Entity>(at now: Date) -> Identifier<Entity> {
        var generator = self
        return .successive(at: now, using: &generator)
    }
}

/// The system's chance, fetched 32 words at a time: each fetch is a system call.
private struct SystemChance: RandomNumberGenerator, Sendable {
    private var words: [UInt64] = []

    mutating func next() -> UInt64 {
        if let word = words.popLast() { return word }
        words = Array(repeating: 0, count: 32)
        // Never fails for up to 256 bytes where the kernel has the call at all (getentropy(3)).
        let code = words.withUnsafeMutableBytes { getentropy($0.baseAddress, $0.count) }
        guard code == 0, let word = words.popLast() else {
            words = []
            var system = SystemRandomNumberGenerator()
            return system.next()
        }
        return word
    }
}

/// A small generator whose whole state is one word, so that it can be saved beside what it steers.
/// Steele, Lea and Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014, figure 17.
package struct SplitMix64: RandomNumberGenerator, Codable, Sendable, Equatable {
    package private(set) var state: UInt64

    package init(seed: UInt64) { state = seed }

    package mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var word = state
        word = (word ^ (word >> 30)) &* 0xBF58_476D_1CE4_E5B9
        word = (word ^ (word >> 27)) &* 0x94D0_49BB_1331_11EB
        return word ^ (word >> 31)
    }
}
