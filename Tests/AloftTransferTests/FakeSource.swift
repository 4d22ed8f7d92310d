import AloftDomain
import AloftWire
import NIOCore
import Synchronization

@testable import AloftTransfer

/// A tracker in memory.
final class FakeSource: TransferSource {
    private struct Memory {
        var runs: [TransferRun] = []
        var points: [String: [Double]] = [:]
        var piece = 1
        var files: [String: String] = [:]
        /// Files that cannot be read.
        var broken: Set<String> = []
    }

    private let memory = Mutex(Memory())
    let identity = "fake"
    let faults = TransferFaults()

    func run(_ id: String, metrics: [String] = [], status: RunStatus = .finished) -> TransferRun {
        TransferRun(
            id: RunID(id), experiment: "1", name: "run", user: "", status: status, startTime: 1,
            endTime: 2, artifactURI: "",
            metrics: metrics.map { .init(key: $0, value: 0, timestamp: 0, step: 0) })
    }

    func set(runs: [TransferRun]) { memory.withLock { $0.runs = runs } }

    func set(points: [String: [Double]], piece: Int) {
        memory.withLock {
            $0.points = points
            $0.piece = piece
        }
    }

    func set(files: [String: String], broken: Set<String> = []) {
        memory.withLock {
            $0.files = files
            $0.broken = broken
        }
    }

    func experiments() async throws -> [TransferExperiment] {
        [TransferExperiment(id: "1", name: "first", artifactLocation: "")]
    }

    func runs(of experiment: String, after page: String?) async throws -> Page<TransferRun> {
        let runs = memory.withLock { $0.runs }
        let begin = page.flatMap { Int($0) } ?? 0
        let end = min(begin + 2, runs.count)
        return Page(items: Array(runs[begin..<end]), next: end < runs.count ? "\(end)" : nil)
    }

    func points(
        of run: TransferRun, after cursor: PointsCursor
    ) async throws -> (points: [TransferPoints], next: PointsCursor?) {
        guard cursor.metric < run.metrics.count else { return ([], nil) }
        let key = run.metrics[cursor.metric].key
        let (all, piece) = memory.withLock { ($0.points[key] ?? [], $0.piece) }
        let begin = Int(max(0, cursor.row))
        let end = min(begin + piece, all.count)
        var next = cursor
        if end < all.count {
            next.row = Int64(end)
        } else {
            next.row = -1
            next.metric += 1
        }
        let points = (begin..<max(begin, end)).map {
            MetricPoint(value: all[$0], timestamp: 0, step: Int64($0))
        }
        return (
            [TransferPoints(key: key, points: points)],
            next.metric < run.metrics.count ? next : nil
        )
    }

    func loggedModels(
        of experiment: String, after page: String?
    ) async throws -> Page<TransferLoggedModel> { Page(items: [], next: nil) }

    func models() async throws -> [TransferModel] { [] }

    func place(of uri: String) -> ArtifactPlace {
        uri.isEmpty ? .unreachable("nowhere") : .here(FakeReader(source: self))
    }

    func leftOut() async throws -> [LeftOut] { [LeftOut("traces", "nobody takes them")] }

    fileprivate var files: [String: String] { memory.withLock(\.files) }
    fileprivate var broken: Set<String> { memory.withLock(\.broken) }
}

private struct FakeReader: ArtifactReader {
    let source: FakeSource

    func list() async throws -> ArtifactListing {
        ArtifactListing(
            files: source.files.sorted { $0.key < $1.key }.map {
                ArtifactFile(path: $0.key, sizeBytes: Int64($0.value.utf8.count))
            })
    }

    func open(_ file: ArtifactFile) async throws -> ArtifactBody {
        let text = source.files[file.path] ?? ""
        let isBroken = source.broken.contains(file.path)
        let turn = Turn()
        return ArtifactBody {
            if turn.isFirst() { return ByteBuffer(string: text) }
            if isBroken { throw SourceError("the disk gave up", isRefusal: true) }
            return nil
        }
    }
}

private final class Turn: Sendable {
    private let isOver = Mutex(false)

    func isFirst() -> Bool {
        isOver.withLock { isOver in
            defer { isOver = true }
            return !isOver
        }
    }
}
