import AloftDomain
import AloftStore
import Foundation

/// Times and durations as protobuf writes them in JSON.
enum TraceTimes {
    /// The years 1 to 9999, as protobuf has it, in milliseconds since 1970.
    static let range: ClosedRange<Int64> = -62_135_596_800_000...253_402_300_799_999

    /// RFC 3339 to milliseconds since 1970; `nil` if it is none.
    static func milliseconds(_ text: String) -> Int64? {
        parsed(text).flatMap { range.contains($0) ? $0 : nil }
    }

    private static func parsed(_ text: String) -> Int64? {
        guard text.utf8.count <= 40 else { return nil }
        let parts = text.pieces(at: ".", most: 2, keepingEmpty: true)
        guard parts.count == 2 else {
            return (try? Date(text, strategy: .iso8601)).map(\.millisecondsSince1970)
        }
        let digits = parts[1].prefix { $0.isASCII && $0.isNumber }
        let zone = parts[1].dropFirst(digits.count)
        guard (1...9).contains(digits.count),
            let whole = try? Date(parts[0] + zone, strategy: .iso8601),
            let fraction = Int64(digits.prefix(3).padding(toLength: 3, withPad: "0", startingAt: 0))
        else { return nil }
        return whole.millisecondsSince1970 + fraction
    }

    static func text(_ milliseconds: Int64) -> String {
        Date(timeIntervalSince1970: Double(milliseconds) / 1000).stamp
    }

    /// `1.5s` to milliseconds; `nil` if it is none.
    static func duration(_ text: String) -> Int64? {
        guard text.ends(with: "s"), let seconds = Double(text.dropLast()),
            abs(seconds) <= 315_576_000_000
        else { return nil }
        // traps: the guard above holds it far below
        return Int64((seconds * 1000).rounded())
    }

    static func durationText(_ milliseconds: Int64) -> String {
        let size = milliseconds.magnitude
        let fraction = String(1000 + size % 1000).dropFirst()
        return "\(milliseconds < 0 ? "-" : "")\(size / 1000).\(fraction)s"
    }
}

extension Fields {
    func time(_ name: String) throws -> Int64? {
        guard let text = try optionalString(name) else { return nil }
        guard let time = TraceTimes.milliseconds(text) else {
            throw ProtocolError.invalidValue("\"\(text.prefix(100))\"", path(of: name))
        }
        return time
    }

    /// A required time in milliseconds since 1970.
    func traceTime(_ name: String) throws -> Int64 {
        let time = try int(name)
        guard TraceTimes.range.contains(time) else {
            throw ProtocolError.invalidValue("\(time)", path(of: name))
        }
        return time
    }
}
