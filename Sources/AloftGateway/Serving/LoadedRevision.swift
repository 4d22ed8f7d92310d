import AloftDomain
import AloftInference
import AloftPredictionLog
import AloftWire
import NIOCore
import Synchronization

/// A revision in memory, warmed up. Freed when the last request that uses it is answered.
final class LoadedRevision: Sendable {
    enum Execution: Sendable {
        /// Quick enough to run on the event loop itself.
        case inline
        /// On threads beside it, batched.
        case batched(DynamicBatcher)
        /// In other processes.
        case remote(any RemoteModel)
    }

    let served: ServedRevision
    let endpoint: String
    let runner: any ModelRunner
    /// The runner's.
    let signature: ModelSignature
    let execution: Execution
    let replies: InferReplyWriter
    let messages: InferMessageWriter
    /// Single-row latency, measured before any traffic.
    let warmup: LatencyHistogram
    let counters: RevisionCounters
    /// The head of every good reply up to the value of the prediction id.
    let responseHead: [UInt8]
    /// The same for a reply with binary tensors.
    let binaryResponseHead: [UInt8]
    /// Requests that are being answered elsewhere than on their event loop.
    let outstanding = Atomic<Int>(0)
    /// When it was last asked, by the event loops' clock.
    let lastUsed: Atomic<UInt64>
    /// What the original model refuses; `nil` where that is nothing.
    let rules: InputRules?
    /// What clients may send beside what the model itself takes.
    let contract: InputContract?
    /// How requests that have a tensor a column are read; `nil` for a model that takes no table.
    let columns: ColumnInputs?
    /// What its signature says of the columns of a table, where they are run as other numbers; see
    /// `ScoringReader`.
    let tableKinds: [Datatype?]
    /// Whether it has an input for each column of a table: they must be of one length.
    let takesColumns: Bool
    /// What stands for missing text in its inputs.
    let missingText: [UInt8]?
    /// What it is reckoned to take.
    let memoryBytes: Int
    /// The names of its outputs as JSON strings.
    let quotedOutputs: [[UInt8]]

    init(
        served: ServedRevision, endpoint: String, runner: any ModelRunner, execution: Execution,
        warmup: LatencyHistogram, loops: Int
    ) {
        self.served = served
        self.endpoint = endpoint
        self.runner = runner
        signature = runner.signature
        self.execution = execution
        self.warmup = warmup
        lastUsed = Atomic(NIODeadline.now().uptimeNanoseconds)
        rules = InputRules(served.servable.manifest, signature: runner.signature)
        contract = InputContract(served.servable.manifest, own: runner.signature)
        columns = ColumnInputs(
            runner.signature, columns: served.servable.manifest.columns,
            published: contract?.published ?? [])
        tableKinds = Self.kinds(
            served.servable.manifest.columns, runner.signature, contract?.published ?? [])
        takesColumns =
            runner.signature.inputs.count > 1
            && runner.signature.inputs.allSatisfy { $0.shape == [-1, 1] }
        missingText = served.servable.manifest.missingText.map { Array($0.utf8) }
        quotedOutputs = runner.signature.outputs.map { JSONText.quoted($0.name) }
        memoryBytes = ModelMemory.bytes(of: served.servable)
        replies = InferReplyWriter(
            modelName: endpoint, modelVersion: served.modelVersion, signature: runner.signature)
        messages = InferMessageWriter(
            modelName: endpoint, modelVersion: served.modelVersion, signature: runner.signature)
        counters = RevisionCounters(loops: loops)
        responseHead = Self.head(contentType: "application/json", revision: served.number)
        binaryResponseHead = Self.head(
            contentType: "application/octet-stream", revision: served.number)
    }

    /// Of each column that is of truth values or whole numbers and is run as something else; empty where
    /// there is none.
    private static func kinds(
        _ columns: [String]?, _ own: ModelSignature, _ published: [TensorSignature]
    ) -> [Datatype?] {
        let names = columns ?? own.inputs.map(\.name)
        let kinds = names.map { name -> Datatype? in
            guard
                let said = published.first(where: {
                    $0.shape == [-1, 1] && $0.name.isSame(as: name)
                })?.datatype, !said.isRealOrText
            else { return nil }
            let place = own.inputs.count == 1 ? 0 : own.inputPlace(name) ?? 0
            // A truth value is read in its own way, whatever it is run as.
            return said != .bool && own.input(at: place)?.datatype == said ? nil : said
        }
        return kinds.allSatisfy { $0 == nil } ? [] : kinds
    }

    private static func head(contentType: String, revision: Int) -> [UInt8] {
        Array(
            ("HTTP/1.1 200 OK\r\ncontent-type: \(contentType)\r\nx-aloft-revision: "
                + "\(revision)\r\nx-aloft-prediction-id: ").utf8)
    }

    /// The output that scores are read from, where its name is the model file's own. What Python models
    /// answer has no name that would mean anything.
    var scoredOutput: String? {
        if case .remote = execution { return nil }
        return signature.outputs.first(where: \.isReal)?.name
    }

    /// What clients are told that it takes.
    var publishedInputs: [TensorSignature] { contract?.published ?? signature.inputs }

    /// What the prediction log says of it while its rollout is at this step.
    func logSource(rolloutStep: Int?) -> LogSource {
        let description = [
            endpoint, served.id.rawValue, rolloutStep.map { "\($0)" } ?? "",
            served.modelName, served.modelVersion, served.servable.digest.hex,
        ].map { String(decoding: $0.utf8.prefix(4000), as: UTF8.self) + "\n" }.joined()
        return LogSource(description: Array(description.utf8), signature: signature)
    }

    /// Runs from now on as is said of its endpoint.
    func adjust(_ execution: ServedExecution?, _ configuration: GatewayConfiguration) {
        switch self.execution {
        case .inline: break
        case .batched(let batcher):
            batcher.adjust(targetNanoseconds: configuration.targetNanoseconds(execution))
        case .remote(let model):
            model.adjust(configuration.workers(of: served.servable.manifest, execution))
        }
    }

    /// What its queue did; `nil` for a model that runs on the event loop.
    var queueStatistics: QueueStatistics? {
        switch execution {
        case .inline: nil
        case .batched(let batcher): batcher.reading
        case .remote(let model): model.reading
        }
    }
}
