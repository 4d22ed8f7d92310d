import AloftDomain
package import Foundation

/// A piece of the prediction log: a mark, the length of its records (4 bytes, little-endian), a
/// checksum of them (8 bytes), and the records. A reader stops at a block that a crash cut off.
package struct PredictionBlock {
    /// How the records of a block are written. All are read; gateways write the newest.
    package enum Format: Sendable, Hashable, CaseIterable {
        /// `ALP1`: each record says all there is to say of it. See `PredictionRecord`.
        case whole
        /// `ALP2`: what many records share stands once in the block. See `CompactPredictions`.
        case compact
        /// `ALP3`: as `ALP2`, with another checksum, and sources may say shapes. See `TensorLayout`.
        case shaped

        fileprivate var mark: [UInt8] {
            switch self {
            case .whole: Array("ALP1".utf8)
            case .compact: Array("ALP2".utf8)
            case .shaped: Array("ALP3".utf8)
            }
        }

        fileprivate func checksum(of records: UnsafeRawBufferPointer) -> UInt64 {
            switch self {
            case .whole, .compact: BlockChecksum.of(records)
            case .shaped: BlockChecksum.inLanes(records)
            }
        }
    }

    package static let headBytes = 16

    package let format: Format
    package let records: UnsafeRawBufferPointer

    /// Head and records together.
    package var byteCount: Int { Self.headBytes + records.count }

    /// The block with these records.
    package static func make(_ records: UnsafeRawBufferPointer, _ format: Format) -> Data {
        var block = Data(capacity: records.count + headBytes)
        block.append(contentsOf: head(of: records, format))
        block.append(contentsOf: records)
        return block
    }

    /// What stands before these records in their block.
    package static func head(of records: UnsafeRawBufferPointer, _ format: Format) -> [UInt8] {
        var head = format.mark
        withUnsafeBytes(of: UInt32(records.count).littleEndian) { head.append(contentsOf: $0) }
        withUnsafeBytes(of: format.checksum(of: records).littleEndian) {
            head.append(contentsOf: $0)
        }
        return head
    }

    /// The block at the begin of `bytes`; `nil` where no whole, undamaged block begins.
    package static func first(in bytes: UnsafeRawBufferPointer) -> PredictionBlock? {
        guard bytes.count >= headBytes,
            let format = Format.allCases.first(where: { bytes.prefix(4).elementsEqual($0.mark) })
        else { return nil }
        let size = Int(
            UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: 4, as: UInt32.self)))
        guard bytes.count - headBytes >= size else { return nil }
        let records = UnsafeRawBufferPointer(rebasing: bytes[headBytes..<headBytes + size])
        let checksum = UInt64(
            littleEndian: bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
        guard format.checksum(of: records) == checksum else { return nil }
        return PredictionBlock(format: format, records: records)
    }

    /// How many bytes of `bytes` are whole, undamaged blocks, not counting any that begins at or
    /// after `limit`.
    package static func wholeBytes(in bytes: UnsafeRawBufferPointer, limit: Int = .max) -> Int {
        var offset = 0
        while offset < limit, offset < bytes.count,
            let block = first(in: UnsafeRawBufferPointer(rebasing: bytes[offset...]))
        {
            offset += block.byteCount
        }
        return offset
    }

    /// Every record; `nil` where one does not fit, so that the block is no log.
    package func all() -> [PredictionRecord]? {
        switch format {
        case .whole: PredictionRecord.all(in: records)
        case .compact, .shaped: CompactPredictions.all(in: records)
        }
    }
}
