package import AloftDomain
import Foundation

extension PredictionLogReader {
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
