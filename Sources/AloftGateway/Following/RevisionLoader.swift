import AloftDomain
import AloftInference
import AloftWire
import Foundation
import Logging
import NIOCore
import NIOPosix

/// Brings a revision into memory: fetches its model, opens it, and warms it up.
struct RevisionLoader: Sendable {
    let library: OnnxLibrary
    let models: ModelStore
    let threads: NIOThreadPool
    let configuration: GatewayConfiguration
    let python: (any PythonModelLoader)?
    let loops: Int
    let crashes: CrashLedger

    /// - Parameter execution: how the endpoint's models run, where somebody said.
    /// - Throws: `InferenceError` where the model is at fault, else what kept it from coming.
    func load(
        _ served: ServedRevision, endpoint: String, _ execution: ServedExecution? = nil
    ) async throws -> LoadedRevision {
        let path = try await models.path(of: served.servable)
        switch served.servable.manifest.runtime {
        case .onnx:
            return try await threads.runIfActive {
                try loadOnnx(served, endpoint: endpoint, path: path, execution)
            }
        case .python:
            guard let python else {
                throw InferenceError.unsupportedModel(reason: "this gateway runs no Python models")
            }
            let (runner, model) = try await python.load(
                served, archive: path, folder: models.place(of: served.servable.digest),
                settings: configuration.workers(of: served.servable.manifest, execution))
            // Rows that nobody gave are not for a stranger's code.
            let warmup =
                served.servable.manifest.example == nil
                ? LatencyHistogram()
                : try await threads.runIfActive { try warm(runner, served).histogram }
            return LoadedRevision(
                served: served, endpoint: endpoint, runner: runner, execution: .remote(model),
                warmup: warmup, loops: loops)
        }
    }

    private func loadOnnx(
        _ served: ServedRevision, endpoint: String, path: String, _ execution: ServedExecution?
    ) throws -> LoadedRevision {
        let digest = served.servable.digest
        let count = crashes.crashes(of: digest)
        guard count < CrashLedger.mostCrashes else {
            throw InferenceError.unloadable(
                reason:
                    "it crashed this gateway \(count) times. Deploy another version; to try this "
                    + "one again, remove \(crashes.path) and start the gateway anew.")
        }
        let session = try OnnxSession(
            library: library, path: path, key: CrashLedger.key(digest))
        let (histogram, isBatchable, elements) = try warm(session, served)
        let median = histogram.percentileMicroseconds(0.5) ?? 0
        let isQuick = median <= configuration.inlineLimit.microseconds
        var settings = CallQueue.Settings()
        settings.limit = configuration.queueLimit
        settings.batchRows = isBatchable ? configuration.batchRows : 1
        settings.maximumRunners = UsableCores.count
        settings.waitingBytes = configuration.waitingBytes
        settings.targetNanoseconds = configuration.targetNanoseconds(execution)
        let execution: LoadedRevision.Execution =
            isQuick
            ? .inline
            : .queued(
                CallQueue(
                    runner: session, threads: threads, settings: settings,
                    loneNanoseconds: median * 1000, loneElements: elements))
        return LoadedRevision(
            served: served, endpoint: endpoint, runner: session, execution: execution,
            warmup: histogram, loops: loops)
    }

    /// Runs the model on one row of its own example until it is warm, and measures it.
    private func warm(
        _ runner: any ModelRunner, _ served: ServedRevision
    ) throws -> (histogram: LatencyHistogram, isBatchable: Bool, rowElements: Int) {
        let warmup = try Warmup(runner: runner, manifest: served.servable.manifest)
        return (try warmup.measure(), warmup.answersByRow(), warmup.rowElements)
    }
}

/// A few calls before any traffic.
struct Warmup {
    private let runner: any ModelRunner
    private let row: InferenceRequest
    /// Whether the row comes from the model's own example, so that a failure says something.
    private let isExample: Bool

    private static let discarded = 10
    private static let measured = 200
    private static let longest = TimeAmount.seconds(1)

    init(runner: any ModelRunner, manifest: ServableManifest) throws {
        self.runner = runner
        let request = InferenceRequest()
        request.tensors.missingText = manifest.missingText.map { Array($0.utf8) }
        if let example = manifest.example {
            let data = try JSONEncoder().encode(example)
            try data.withUnsafeBytes { bytes in
                try InferRequestReader.read(bytes, signature: runner.signature, into: request)
            }
            isExample = true
        } else {
            request.fillWithZeros(runner.signature)
            isExample = false
        }
        row = request.firstRow(runner.signature)
    }

    var rowElements: Int { row.tensors.elementCount }

    /// - Throws: `InferenceError` where the model fails on its own example.
    func measure() throws -> LatencyHistogram {
        var histogram = LatencyHistogram()
        let reply = TensorSet()
        do throws(InferenceError) {
            let begin = NIODeadline.now()
            // traps: both are constants
            for call in 0..<(Self.discarded + Self.measured) {
                let start = NIODeadline.now()
                if call > 1, start - begin > Self.longest { break }
                try runner.run(row, into: reply)
                let elapsed = NIODeadline.now() - start
                // A slow model is not run ten times for nothing: its second call counts.
                if call >= Self.discarded || (call > 0 && elapsed > .milliseconds(20)) {
                    histogram.record(microseconds: Double(elapsed.nanoseconds) / 1000)
                }
            }
        } catch {
            guard isExample else { return histogram }
            throw InferenceError.unloadable(
                reason: "it fails on its own example: \(error.message)")
        }
        return histogram
    }

    /// Whether two rows in one call get what each gets alone, so that calls may be joined.
    func answersByRow() -> Bool {
        let alone = TensorSet()
        let together = TensorSet()
        guard let double = row.repeatedRow(runner.signature),
            (try? runner.run(row, into: alone)) != nil,
            (try? runner.run(double, into: together)) != nil
        else { return false }
        return zip(alone.entries, together.entries).allSatisfy { one, two in
            two.byteCount == 2 * one.byteCount && two.rank > 0
                && together.shape(two).first == 2 && alone.shape(one).first == 1
        }
    }
}
