import AloftDomain
import AloftWire
import Foundation
import NIOCore
import NIOFoundationCompat

/// A run as the lines of a request's body, its points read as they are sent.
struct RunLines: AsyncSequence, Sendable {
    typealias Element = ByteBuffer

    let header: ImportRun.Header
    /// As the tracker knows it.
    let run: TransferRun
    let source: any TransferSource

    struct AsyncIterator: AsyncIteratorProtocol {
        let lines: RunLines
        var sentHeader = false
        var cursor: PointsCursor? = PointsCursor()

        mutating func next() async throws -> ByteBuffer? {
            guard sentHeader else {
                sentHeader = true
                return try Self.lines([lines.header])
            }
            while let at = cursor {
                let (points, next) = try await lines.source.points(of: lines.run, after: at)
                cursor = next
                let some = points.filter { !$0.values.isEmpty }
                if !some.isEmpty { return try Self.lines(some) }
            }
            return nil
        }

        private static func lines(_ values: [some Encodable]) throws -> ByteBuffer {
            let encoder = JSONEncoder()
            encoder.nonConformingFloatEncodingStrategy = .convertToString(
                positiveInfinity: "Infinity", negativeInfinity: "-Infinity", nan: "NaN")
            var buffer = ByteBuffer()
            for value in values {
                buffer.writeData(try encoder.encode(value))
                buffer.writeInteger(UInt8(ascii: "\n"))
            }
            return buffer
        }
    }

    func makeAsyncIterator() -> AsyncIterator { AsyncIterator(lines: self) }
}
