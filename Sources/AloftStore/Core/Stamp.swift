package import Foundation

extension Date {
    /// The time as stored: UTC text with milliseconds, `2026-11-23T20:46:00.123Z`, which sorts as
    /// time does.
    package var stamp: String {
        // The style cuts; a tenth of a millisecond on top of the nearest one is cut to just that.
        let nearest = (timeIntervalSince1970 * 1000).rounded() / 1000
        return Date(timeIntervalSince1970: nearest + 0.0001).formatted(Self.stampStyle)
    }

    /// `nil` unless `stamp` is a time as `stamp` writes it.
    package init?(stamp: String) {
        guard let date = try? Date(stamp, strategy: Self.stampStyle) else { return nil }
        self = date
    }

    private static let stampStyle = Date.ISO8601FormatStyle(includingFractionalSeconds: true)
}
