package import Foundation

/// Reads segments of the prediction log, oldest first.
package enum PredictionLogReader {
    /// All predictions of a segment; what follows a damaged block is left out.
    package static func read(_ data: Data) -> [LoggedPrediction] {
        data.withUnsafeBytes { whole in
            var predictions: [LoggedPrediction] = []
            var offset = 0
            while offset < whole.count,
                let block = PredictionBlock.first(
                    in: UnsafeRawBufferPointer(rebasing: whole[offset...]))
            {
                predictions += (block.all() ?? []).compactMap(\.prediction)
                offset += block.byteCount
            }
            return predictions
        }
    }

    /// All predictions of a folder of segments.
    package static func read(folder: String) throws -> [LoggedPrediction] {
        let names = try FileManager.default.contentsOfDirectory(atPath: folder)
            // text: our own files
            .filter { $0.hasSuffix(".alog") }.sorted()
        return try names.flatMap { name in
            read(try Data(contentsOf: URL(fileURLWithPath: folder + "/" + name)))
        }
    }
}
