import AloftDomain
import AloftWire
import Foundation

/// Which endpoints are evicted so that another fits: the least recently used (LRU). Pure.
struct MemoryPlan: Equatable {
    /// What one endpoint holds.
    struct Occupant: Equatable {
        var endpoint: String
        var bytes: Int
        /// Of any clock, the larger the later.
        var lastUsed: UInt64
        /// Whether it must stay.
        var isPinned: Bool
    }

    /// In the order in which they go.
    var evicted: [String] = []
    /// What is beyond the budget even so.
    var missingBytes = 0

    /// - Parameter room: what is to be loaded, in bytes.
    static func make(room: Int, of limitBytes: Int, residents: [Occupant]) -> MemoryPlan {
        var plan = MemoryPlan()
        var excess = residents.reduce(room - limitBytes) { $0 + $1.bytes }
        let candidates = residents.filter { !$0.isPinned }.sorted {
            ($0.lastUsed, $0.endpoint) < ($1.lastUsed, $1.endpoint)
        }
        for occupant in candidates where excess > 0 {
            plan.evicted.append(occupant.endpoint)
            excess -= occupant.bytes
        }
        plan.missingBytes = max(0, excess)
        return plan
    }
}

/// What a model is reckoned to take in memory.
enum ModelMemory {
    /// A session without weights, as measured over 2,000 small models.
    private static let sessionBytes = 400 << 10
    /// An interpreter with numpy, pandas and mlflow.
    private static let workerBytes = 256 << 20

    /// Weights are held once by the session and once more while it packs them for its kernels.
    static func bytes(of servable: ServableReference) -> Int {
        let size = Int(clamping: servable.sizeBytes)
        return switch servable.manifest.runtime {
        case .onnx: sessionBytes + size.multipliedReportingOverflow(by: 2).partialValue
        case .python: workerBytes + size
        }
    }

    /// The C library keeps freed memory for itself unless it is told. Only glibc can be told.
    static func giveBackToSystem() {
        typealias Trim = @convention(c) (Int) -> Int32
        guard let symbol = dlsym(nil, "malloc_trim") else { return }
        _ = unsafeBitCast(symbol, to: Trim.self)(0)
    }
}
