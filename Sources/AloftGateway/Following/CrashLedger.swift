import AloftDomain
import Foundation

/// Which models crashed this gateway's process: `crashes` in its folder, eight bytes of a model's digest
/// for each time, written by the process as it dies. A model that did it twice is not loaded again, so
/// its neighbours are disturbed no further.
struct CrashLedger: Sendable {
    let path: String
    /// Open for as long as the process lives.
    let descriptor: Int32
    private let counts: [UInt64: Int]

    static let mostCrashes = 2

    init(folder: String) throws {
        path = folder + "/crashes"
        var counts: [UInt64: Int] = [:]
        let data = (try? Data(contentsOf: URL(fileURLWithPath: path))) ?? Data()
        data.withUnsafeBytes { bytes in
            for offset in stride(from: 0, through: bytes.count - 8, by: 8) {
                let key = bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
                counts[key, default: 0] += 1
            }
        }
        self.counts = counts
        descriptor = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw ModelFetchError.unwritable(path: path) }
    }

    /// The name of a model here; never 0.
    static func key(_ digest: ContentDigest) -> UInt64 {
        (UInt64(digest.hex.prefix(16), radix: 16) ?? 0) | 1
    }

    func crashes(of digest: ContentDigest) -> Int { counts[Self.key(digest)] ?? 0 }
}
