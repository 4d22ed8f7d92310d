package import Foundation

/// A piece of the prediction log: `ALP1`, the length of its records (4 bytes, little-endian), a
/// checksum of them (8 bytes), and the records. A reader stops at a block that a crash cut off.
package enum PredictionBlock {
    package static let headBytes = 16
    private static let mark = Array("ALP1".utf8)

    /// The block with these records.
    package static func make(_ records: UnsafeRawBufferPointer) -> Data {
        var block = Data(capacity: records.count + headBytes)
        block.append(contentsOf: head(of: records))
        block.append(contentsOf: records)
        return block
    }

    /// What stands before these records in their block.
    package static func head(of records: UnsafeRawBufferPointer) -> [UInt8] {
        var head = mark
        withUnsafeBytes(of: UInt32(records.count).littleEndian) { head.append(contentsOf: $0) }
        withUnsafeBytes(of: BlockChecksum.of(records).littleEndian) {
            head.append(contentsOf: $0)
        }
        return head
    }

    /// The records of the block at the begin of `bytes`; `nil` where no whole, undamaged block
    /// begins.
    package static func first(in bytes: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer? {
        guard bytes.count >= headBytes, bytes.prefix(4).elementsEqual(mark) else { return nil }
        let size = Int(
            UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: 4, as: UInt32.self)))
        guard bytes.count - headBytes >= size else { return nil }
        let records = UnsafeRawBufferPointer(rebasing: bytes[headBytes..<headBytes + size])
        let checksum = UInt64(
            littleEndian: bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
        return BlockChecksum.of(records) == checksum ? records : nil
    }

    /// How many bytes of `bytes` are whole, undamaged blocks, not counting any that begins at or
    /// after `limit`.
    package static func wholeBytes(in bytes: UnsafeRawBufferPointer, limit: Int = .max) -> Int {
        var offset = 0
        while offset < limit, offset < bytes.count,
            let records = first(in: UnsafeRawBufferPointer(rebasing: bytes[offset...]))
        {
            offset += headBytes + records.count
        }
        return offset
    }
}

/// One record of a block, whose fixed part is read and whose long parts are only measured.
///
/// A record is little-endian: length of what follows (4 bytes), HTTP status (2), loop (1), form (1),
/// incarnation (8), sequence (8), wall time in milliseconds (8), microseconds taken (4), length of the
/// revision's description (2) and that, length of the request (4) and that, length of the reply (4)
/// and that, length of the request's JSON or -1 (4), the lengths of request and reply before they were
/// cut (4 and 4), length of the trace's header (1) and that; older logs end with the reply. The
/// description is made of endpoint, revision, rollout step, model, version and digest, each ended by
/// a line feed.
package struct PredictionRecord {
    package let id: PredictionID
    package let form: PredictionForm
    package let status: Int
    package let milliseconds: Int64
    package let microseconds: Int
    package let description: UnsafeRawBufferPointer
    /// The record with its length before it.
    package let whole: UnsafeRawBufferPointer
    private let request: UnsafeRawBufferPointer
    private let response: UnsafeRawBufferPointer
    private let tail: UnsafeRawBufferPointer

    /// The record at the begin of `bytes`; `nil` where the lengths do not fit.
    package init?(_ bytes: UnsafeRawBufferPointer) {
        var scan = Scan(bytes)
        guard let size = scan.take(UInt32.self), let end = scan.end(after: Int(size)) else {
            return nil
        }
        scan.bytes = UnsafeRawBufferPointer(rebasing: bytes[..<end])
        guard let status = scan.take(UInt16.self), let loop = scan.take(UInt8.self),
            let form = scan.take(UInt8.self),
            let incarnation = scan.take(UInt64.self), let sequence = scan.take(UInt64.self),
            let milliseconds = scan.take(Int64.self), let microseconds = scan.take(UInt32.self),
            let description = scan.takeBytes(UInt16.self),
            let request = scan.takeBytes(UInt32.self), let response = scan.takeBytes(UInt32.self)
        else { return nil }
        id = PredictionID(incarnation: incarnation, loop: loop, sequence: sequence)
        self.status = Int(status)
        self.form = PredictionForm(rawValue: form) ?? .json
        self.milliseconds = milliseconds
        self.microseconds = Int(microseconds)
        self.description = description
        self.request = request
        self.response = response
        whole = scan.bytes
        tail = UnsafeRawBufferPointer(rebasing: scan.bytes[scan.offset...])
    }

    /// Every record of a block; `nil` where one does not fit, so that the block is no log.
    package static func all(in records: UnsafeRawBufferPointer) -> [PredictionRecord]? {
        var found: [PredictionRecord] = []
        var offset = 0
        while offset < records.count {
            guard
                let record = PredictionRecord(
                    UnsafeRawBufferPointer(rebasing: records[offset...]))
            else { return nil }
            found.append(record)
            offset += record.whole.count
        }
        return found
    }

    /// Endpoint, revision, rollout step, model, version, digest; `nil` where some are missing.
    package static func words(of description: UnsafeRawBufferPointer) -> [String]? {
        let words = String(decoding: description, as: UTF8.self)
            .split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        return words.count >= 6 ? words : nil
    }

    /// The whole of it; `nil` where the description says too little.
    package var prediction: LoggedPrediction? { read(withBodies: true) }

    /// It without what was asked and answered.
    package var summary: LoggedPrediction? { read(withBodies: false) }

    private func read(withBodies: Bool) -> LoggedPrediction? {
        guard let words = Self.words(of: description) else { return nil }
        var prediction = LoggedPrediction(
            id: id.text, endpoint: words[0], revision: RevisionID(words[1]),
            rolloutStep: Int(words[2]), modelName: words[3], modelVersion: words[4],
            digest: words[5], status: status, receivedAt: Date(millisecondsSince1970: milliseconds),
            microseconds: microseconds, request: withBodies ? Data(request) : Data(),
            response: withBodies ? Data(response) : Data())
        prediction.requestBytes = request.count
        prediction.responseBytes = response.count
        var scan = Scan(tail)
        prediction.form = form
        guard let jsonLength = scan.take(Int32.self),
            let requestBytes = scan.take(UInt32.self), let responseBytes = scan.take(UInt32.self),
            let trace = scan.takeBytes(UInt8.self)
        else { return prediction }
        prediction.jsonLength = jsonLength < 0 ? nil : Int(jsonLength)
        prediction.requestBytes = Int(requestBytes)
        prediction.responseBytes = Int(responseBytes)
        prediction.trace = TraceParent(String(decoding: trace, as: UTF8.self))
        return prediction
    }

    /// Reads numbers and byte runs and never past the end.
    private struct Scan {
        var bytes: UnsafeRawBufferPointer
        var offset = 0

        init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

        /// Where `count` more bytes end, if there are as many.
        func end(after count: Int) -> Int? {
            count <= bytes.count - offset ? offset + count : nil
        }

        mutating func take<Number: FixedWidthInteger>(_: Number.Type) -> Number? {
            guard let end = end(after: MemoryLayout<Number>.size) else { return nil }
            defer { offset = end }
            return Number(
                littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: Number.self))
        }

        mutating func takeBytes<Length: FixedWidthInteger>(
            _: Length.Type
        ) -> UnsafeRawBufferPointer? {
            guard let count = take(Length.self), let end = end(after: Int(count)) else {
                return nil
            }
            defer { offset = end }
            return UnsafeRawBufferPointer(rebasing: bytes[offset..<end])
        }
    }
}

/// Reads segments of the prediction log, oldest first.
package enum PredictionLogReader {
    /// All predictions of a segment; what follows a damaged block is left out.
    package static func read(_ data: Data) -> [LoggedPrediction] {
        data.withUnsafeBytes { whole in
            var predictions: [LoggedPrediction] = []
            var offset = 0
            while offset < whole.count,
                let records = PredictionBlock.first(
                    in: UnsafeRawBufferPointer(rebasing: whole[offset...]))
            {
                let found = PredictionRecord.all(in: records) ?? []
                predictions += found.compactMap(\.prediction)
                offset += PredictionBlock.headBytes + records.count
            }
            return predictions
        }
    }
}
