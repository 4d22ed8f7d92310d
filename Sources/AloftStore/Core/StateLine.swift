import AloftDomain
import Foundation

/// A line of `aloft.state`: the mark, a checksum of what follows, the record as JSON, blanks up to the
/// line's end. The position stands in a field of fixed width, so that a commit changes little.
struct StateLine: Sendable {
    static let length = 512
    private static let mark = "aloft-state 1 "
    private static let sumPlace = mark.utf8.count
    private static let bodyPlace = sumPlace + 17..<length - 1
    /// The digits of the largest position.
    private static let width = 19

    private(set) var bytes = [UInt8](repeating: UInt8(ascii: " "), count: length)
    /// Where the position's field begins.
    private let positionPlace: Int

    init(_ record: StateRecord) {
        let head = "{\"database\":\"\(record.database)\",\"position\":"
        let tail =
            ",\"schema\":\"\(record.schema)\",\"isClean\":\(record.isClean),\"bytes\":\(record.bytes)}"
        positionPlace = Self.bodyPlace.lowerBound + head.utf8.count
        bytes[Self.length - 1] = UInt8(ascii: "\n")
        put(Self.mark, at: 0)
        put(head, at: Self.bodyPlace.lowerBound)
        put(tail, at: positionPlace + Self.width)
        set(position: record.position)
    }

    private mutating func put(_ text: String, at start: Int) {
        for (place, byte) in zip(start..<Self.bodyPlace.upperBound, text.utf8) {
            bytes[place] = byte
        }
    }

    mutating func set(position: Int64) {
        var rest = UInt64(max(0, position))
        for place in (positionPlace..<positionPlace + Self.width).reversed() {
            let isBlank = rest == 0 && place < positionPlace + Self.width - 1
            bytes[place] = isBlank ? UInt8(ascii: " ") : UInt8(ascii: "0") + UInt8(rest % 10)
            rest /= 10
        }
        var sum = bytes.withUnsafeBytes { BlockChecksum.of(.init(rebasing: $0[Self.bodyPlace])) }
        for place in (Self.sumPlace..<Self.sumPlace + 16).reversed() {
            let digit = UInt8(sum & 15)
            bytes[place] = digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") + digit - 10
            sum >>= 4
        }
    }

    /// The record of a line; `nil` for one that is not whole.
    static func record(of line: Data) -> StateRecord? {
        let bytes = [UInt8](line)
        guard bytes.count == length, bytes.starts(with: mark.utf8) else { return nil }
        let sum = bytes.withUnsafeBytes { BlockChecksum.of(.init(rebasing: $0[bodyPlace])) }
        let digits = String(decoding: bytes[sumPlace..<sumPlace + 16], as: UTF8.self)
        guard UInt64(digits, radix: 16) == sum else { return nil }
        return try? JSONDecoder().decode(StateRecord.self, from: Data(bytes[bodyPlace]))
    }
}
