package import Foundation

/// The process's clock, handed to everything that waits or stamps. Wall time is for stored stamps,
/// the clock for waiting.
package struct TimeSource: Sendable {
    package var clock: any Clock<Duration>
    package var now: @Sendable () -> Date

    package init(clock: any Clock<Duration>, now: @escaping @Sendable () -> Date) {
        self.clock = clock
        self.now = now
    }

    package static let live = TimeSource(clock: ContinuousClock(), now: { Date() })
}

extension Date {
    /// Whole milliseconds since 1970, as the tracking protocol counts time.
    package var millisecondsSince1970: Int64 { Int64((timeIntervalSince1970 * 1000).rounded()) }

    package init(millisecondsSince1970 milliseconds: Int64) {
        self.init(timeIntervalSince1970: Double(milliseconds) / 1000)
    }
}
