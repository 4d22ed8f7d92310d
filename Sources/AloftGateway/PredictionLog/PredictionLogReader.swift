package import AloftDomain
package import Foundation

/// One answered request as the prediction log holds it.
package struct LoggedPrediction: Sendable, Equatable {
    package var id: String
    package var form: PredictionForm
    package var endpoint: String
    package var revision: RevisionID
    package var rolloutStep: Int?
    package var modelName: String
    package var modelVersion: String
    package var digest: String
    package var status: Int
    package var receivedAt: Date
    package var microseconds: Int
    package var request: Data
    package var response: Data
}

/// Reads segments of the prediction log, oldest first.
package enum PredictionLogReader {
    /// All predictions of a segment; what follows a damaged block is left out.
    package static func read(_ data: Data) -> [LoggedPrediction] {
        data.withUnsafeBytes { whole in
            var predictions: [LoggedPrediction] = []
            var rest = whole[...]
            while rest.count >= 16 {
                let bytes = UnsafeRawBufferPointer(rebasing: rest)
                let size = Int(
                    UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: 4, as: UInt32.self)))
                guard bytes.prefix(4).elementsEqual("ALP1".utf8), bytes.count >= 16 + size else {
                    break
                }
                let block = UnsafeRawBufferPointer(rebasing: bytes[16..<16 + size])
                let checksum = UInt64(
                    littleEndian: bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
                guard BlockChecksum.of(block) == checksum else { break }
                read(block, into: &predictions)
                rest = rest.dropFirst(16 + size)
            }
            return predictions
        }
    }

    /// All predictions of a folder of segments.
    package static func read(folder: String) throws -> [LoggedPrediction] {
        let names = try FileManager.default.contentsOfDirectory(atPath: folder)
            .filter { $0.hasSuffix(".alog") }.sorted()
        return try names.flatMap { name in
            read(try Data(contentsOf: URL(fileURLWithPath: folder + "/" + name)))
        }
    }

    private static func read(
        _ block: UnsafeRawBufferPointer, into predictions: inout [LoggedPrediction]
    ) {
        var offset = 0
        func take<Number: FixedWidthInteger>(_: Number.Type) -> Number {
            defer { offset += MemoryLayout<Number>.size }
            return Number(
                littleEndian: block.loadUnaligned(fromByteOffset: offset, as: Number.self))
        }
        func take(_ count: Int) -> Data {
            defer { offset += count }
            return Data(block[offset..<offset + count])
        }
        // The checksum held, so the lengths are those that were written.
        while offset + 4 <= block.count {
            _ = take(UInt32.self)
            let status = Int(take(UInt16.self))
            let loop = take(UInt8.self)
            let form = PredictionForm(rawValue: take(UInt8.self)) ?? .json
            var id = PredictionID(incarnation: take(UInt64.self), loop: loop)
            id.sequence = take(UInt64.self)
            let milliseconds = take(Int64.self)
            let microseconds = Int(take(UInt32.self))
            let words = String(decoding: take(Int(take(UInt16.self))), as: UTF8.self)
                .split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
            let request = take(Int(take(UInt32.self)))
            let response = take(Int(take(UInt32.self)))
            guard words.count >= 6 else { return }
            predictions.append(
                LoggedPrediction(
                    id: id.text, form: form, endpoint: words[0], revision: RevisionID(words[1]),
                    rolloutStep: Int(words[2]), modelName: words[3], modelVersion: words[4],
                    digest: words[5], status: status,
                    receivedAt: Date(millisecondsSince1970: milliseconds),
                    microseconds: microseconds, request: request, response: response))
        }
    }
}
