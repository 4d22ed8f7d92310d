package import AloftDomain
import AloftPredictionLog
import AloftStore
package import Foundation

/// A piece of a gateway's prediction log: whole blocks of one segment, from a byte on. Gateway, log,
/// segment and byte name it for all time, so that a second delivery is known as one.
package struct PredictionDelivery: Sendable {
    package var gateway: GatewayID
    /// The log's own name, new with each folder of segments.
    package var log: String
    package var segment: Int64
    package var offset: Int64
    package var bytes: Data

    package init(
        gateway: GatewayID, log: String, segment: Int64, offset: Int64, bytes: Data
    ) {
        self.gateway = gateway
        self.log = log
        self.segment = segment
        self.offset = offset
        self.bytes = bytes
    }
}

/// Records that go into one block: of one endpoint, revision, event loop and minute.
struct PredictionGroup {
    struct Key: Hashable {
        var endpoint: String
        var revision: String
        var incarnation: UInt64
        var loop: UInt8
        /// Since 1970.
        var minute: Int64
        var format: PredictionBlock.Format
    }

    let key: Key
    var bytes = Data()
    /// The sources of its records, as they stand in `bytes`.
    private var sources: [Data] = []
    var records = 0
    var errors = 0
    var sequences: ClosedRange<UInt64>
    var milliseconds: ClosedRange<Int64>
    var slowestMicroseconds = 0

    init(_ key: Key, first: PredictionRecord) {
        self.key = key
        sequences = first.id.sequence...first.id.sequence
        milliseconds = first.milliseconds...first.milliseconds
    }

    mutating func append(_ record: PredictionRecord) {
        if let source = record.source {
            let number = place(source)
            let start = bytes.count
            bytes.append(contentsOf: record.whole)
            let place = start + CompactPredictions.sourcePlace
            withUnsafeBytes(of: UInt16(number).littleEndian) {
                bytes.replaceSubrange(place..<place + $0.count, with: $0)
            }
        } else {
            bytes.append(contentsOf: record.whole)
        }
        records += 1
        if record.status >= 400 { errors += 1 }
        let sequence = record.id.sequence
        sequences =
            min(sequences.lowerBound, sequence)...max(sequences.upperBound, sequence)
        milliseconds =
            min(
                milliseconds.lowerBound, record.milliseconds)...max(
                milliseconds.upperBound, record.milliseconds)
        slowestMicroseconds = max(slowestMicroseconds, record.microseconds)
    }

    /// The number of a source in this group; what is new is put before the record that has it.
    private mutating func place(_ source: PredictionSource) -> Int {
        if let last = sources.last, Self.areEqual(last, source.whole) { return sources.count - 1 }
        if let found = sources.firstIndex(where: { Self.areEqual($0, source.whole) }) {
            return found
        }
        bytes.append(contentsOf: source.whole)
        sources.append(Data(source.whole))
        return sources.count - 1
    }

    /// Whether there is room for a record of one more source.
    var isFull: Bool { bytes.count >= Self.mostBytes || sources.count > 1000 }

    /// Larger groups are cut, so that finding one record stays cheap.
    private static let mostBytes = 256 << 10

    fileprivate static func areEqual(_ one: Data, _ two: UnsafeRawBufferPointer) -> Bool {
        one.withUnsafeBytes { one in
            guard one.count == two.count, let a = one.baseAddress, let b = two.baseAddress else {
                return one.count == two.count
            }
            return memcmp(a, b, one.count) == 0
        }
    }

    /// `2026-11-24`.
    var day: String { String(Date(millisecondsSince1970: key.minute * 60_000).stamp.prefix(10)) }
}

/// Sorts a delivery's new records into groups.
struct PredictionSorter {
    private(set) var groups: [PredictionGroup] = []
    private var open: [PredictionGroup.Key: Int] = [:]
    /// The last description and what it says: most records have the one of the record before.
    private var lastDescription = Data()
    private var lastWords: (endpoint: String, revision: String)?

    /// From 1970 to 2200: a gateway without a clock must not make a day of its own for each record.
    private static let times: Range<Int64> = 0..<7_258_118_400_000

    /// Sorts what is in `bytes` from `offset` on and was not taken before.
    ///
    /// - Parameter taken: the segment's bytes that are stored already.
    /// - Returns: how far the segment is taken with these.
    /// - Throws: `PredictionError.damaged`.
    mutating func sort(
        _ bytes: UnsafeRawBufferPointer, offset: Int64, taken: Int64
    ) throws -> Int64 {
        var place = 0
        while place < bytes.count {
            let here = offset + Int64(place)
            guard
                let block = PredictionBlock.first(
                    in: UnsafeRawBufferPointer(rebasing: bytes[place...]))
            else {
                throw PredictionError.damaged(
                    offset: here, reason: "no whole block with the right checksum begins there")
            }
            place += block.byteCount
            guard here >= taken else { continue }
            guard let found = block.all() else {
                throw PredictionError.damaged(offset: here, reason: "its records do not fit")
            }
            for record in found { try add(record, block.format, at: here) }
        }
        return max(taken, offset + Int64(place))
    }

    private mutating func add(
        _ record: PredictionRecord, _ format: PredictionBlock.Format, at offset: Int64
    ) throws {
        guard Self.times.contains(record.milliseconds) else {
            throw PredictionError.damaged(
                offset: offset, reason: "a record's time is \(record.milliseconds)")
        }
        let (endpoint, revision) = try words(of: record, at: offset)
        let key = PredictionGroup.Key(
            endpoint: endpoint, revision: revision, incarnation: record.id.incarnation,
            loop: record.id.loop, minute: record.milliseconds / 60_000, format: format)
        if let index = open[key], !groups[index].isFull {
            groups[index].append(record)
            return
        }
        open[key] = groups.count
        var group = PredictionGroup(key, first: record)
        group.append(record)
        groups.append(group)
    }

    private mutating func words(
        of record: PredictionRecord, at offset: Int64
    ) throws -> (endpoint: String, revision: String) {
        if let lastWords, PredictionGroup.areEqual(lastDescription, record.description) {
            return lastWords
        }
        // The endpoint becomes the name of a folder.
        guard let words = PredictionRecord.words(of: record.description),
            EndpointName.parts(words[0]) != nil
        else {
            throw PredictionError.damaged(
                offset: offset, reason: "a record does not say which deployment it is of")
        }
        lastDescription = Data(record.description)
        lastWords = (words[0], words[1])
        return (words[0], words[1])
    }
}
