package import Foundation

/// A name for one `Entity`, so that the identifier of a run is never taken for that of a job.
package struct Identifier<Entity>: Hashable, Sendable, CustomStringConvertible {
    package let rawValue: String

    package init(_ rawValue: String) { self.rawValue = rawValue }

    package var description: String { rawValue }
}

extension Identifier: Codable {
    package init(from decoder: any Decoder) throws {
        rawValue = try decoder.singleValueContainer().decode(String.self)
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(rawValue)
    }
}

extension Identifier: Comparable {
    package static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }
}

extension Identifier {
    /// A new identifier of 32 lower-case hexadecimal digits (128 bits of chance), with `prefix` before.
    package static func random(
        prefix: String = "", using chance: inout some RandomNumberGenerator
    ) -> Self {
        Self(prefix + hexadecimal(chance.next(), chance.next()))
    }

    /// A new identifier of 32 lower-case hexadecimal digits: 8 that count spans of 16 ms (they start
    /// anew every two years), 24 of chance (96 bits).
    ///
    /// Those made one after the other stand side by side in an index, so that what makes many writes
    /// few pages; and their first digits still tell them apart where only those are shown.
    package static func successive(
        at now: Date, using chance: inout some RandomNumberGenerator
    ) -> Self {
        let span = UInt64(max(0, now.timeIntervalSince1970) * 1000 / 16) << 32
        return Self(hexadecimal(span | chance.next() >> 32, chance.next()))
    }

    private static func hexadecimal(_ first: UInt64, _ second: UInt64) -> String {
        String(unsafeUninitializedCapacity: 32) { digits in
            for place in 0..<16 {
                digits[place] = digit(first, place)
                digits[16 + place] = digit(second, place)
            }
            return 32
        }
    }

    /// The digit at `place` (0...15, from the left).
    private static func digit(_ word: UInt64, _ place: Int) -> UInt8 {
        let value = UInt8(truncatingIfNeeded: word >> UInt64(60 - 4 * place)) & 15
        return value < 10 ? 0x30 + value : 0x57 + value
    }
}

// What the identifiers name. The enums have no values: they exist only to tell identifiers apart.
package enum Project {}
package enum Token {}
package enum Experiment {}
package enum Run {}
package enum LoggedModel {}
package enum Job {}
package enum Sweep {}
package enum Trial {}
package enum Deployment {}
package enum Revision {}
package enum Rollout {}
package enum Gateway {}
package enum Webhook {}
package enum Trace {}

package typealias ProjectID = Identifier<Project>
package typealias TokenID = Identifier<Token>
package typealias ExperimentID = Identifier<Experiment>
package typealias RunID = Identifier<Run>
package typealias LoggedModelID = Identifier<LoggedModel>
package typealias JobID = Identifier<Job>
package typealias SweepID = Identifier<Sweep>
package typealias TrialID = Identifier<Trial>
package typealias DeploymentID = Identifier<Deployment>
package typealias RevisionID = Identifier<Revision>
package typealias RolloutID = Identifier<Rollout>
package typealias GatewayID = Identifier<Gateway>
package typealias WebhookID = Identifier<Webhook>
package typealias TraceID = Identifier<Trace>

extension Identifier where Entity == Project {
    /// The project of everything that names none, such as runs of a plain MLflow client.
    package static var `default`: Self { Self("default") }
}
