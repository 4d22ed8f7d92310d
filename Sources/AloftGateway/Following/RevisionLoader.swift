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
                : try await threads.runIfActive {
                    try Warmup(runner: runner, manifest: served.servable.manifest).measure()
                }
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
        // A model that answers no made-up row may be slow: it does not hold up the event loop.
        let measured = histogram.percentileMicroseconds(0.5)
        let isQuick = measured.map { $0 <= configuration.inlineLimit.microseconds } ?? false
        let median = measured ?? 0
        var settings = DynamicBatcher.Settings()
        settings.limit = configuration.queueLimit
        settings.batchRows = isBatchable ? configuration.batchRows : 1
        settings.maximumRunners = UsableCores.count
        settings.waitingBytes = configuration.waitingBytes
        settings.targetNanoseconds = configuration.targetNanoseconds(execution)
        let execution: LoadedRevision.Execution =
            isQuick
            ? .inline
            : .batched(
                DynamicBatcher(
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
