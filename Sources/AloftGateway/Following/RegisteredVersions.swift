import AloftClient
import AloftDomain
import AloftInference
import AloftWire
import Foundation
import NIOCore
import NIOPosix

/// Registered versions that are asked without being deployed: to answer a prediction again, or to
/// compare. Loaded when asked for, never given traffic, the longest unused one let go.
actor RegisteredVersions {
    struct Answer: Sendable {
        var status: Int
        var contentType = "application/json"
        var body: [UInt8]
        var headers: [(String, String)] = []
    }

    struct Question: Sendable {
        var key: ModelVersionKey
        var isScoring: Bool
        var contentType: String
        var jsonLength: Int?
        var body: ByteBuffer?
        /// What its tensors may take.
        var tensorLimitBytes = Int.max

        /// Whether body and answer are messages of gRPC.
        var isMessage: Bool { !isScoring && contentType == PredictionForm.messageType }
    }

    private struct Resident {
        var loading: Task<LoadedRevision, any Error>
        var digest: ContentDigest
        var lastUse: UInt64
    }

    private let client: ServerClient
    private let loader: RevisionLoader
    private let threads: NIOThreadPool
    private var residents: [ModelVersionKey: Resident] = [:]
    private var uses: UInt64 = 0

    private static let most = 3

    init(client: ServerClient, loader: RevisionLoader, threads: NIOThreadPool) {
        self.client = client
        self.loader = loader
        self.threads = threads
    }

    /// Never fails: what goes wrong is the answer.
    func answer(_ question: Question) async -> Answer {
        do {
            let revision = try await loaded(question.key)
            return try await threads.runIfActive { try Self.run(question, revision) }
        } catch let error as InferenceError {
            return Self.refusal(error.httpStatus, error.code, error.message)
        } catch ClientError.refused(let status, let code, let message) {
            return Self.refusal(status, code, message)
        } catch let error as ModelFetchError {
            return Self.refusal(503, "model_not_ready", error.message)
        } catch let error as ClientError {
            return Self.refusal(503, "model_not_ready", error.message)
        } catch let error as NotServable {
            return Self.refusal(503, "model_not_ready", error.message)
        } catch {
            return Self.refusal(500, "internal", "the version could not be asked: \(error)")
        }
    }

    private static func refusal(_ status: Int, _ code: String, _ message: String) -> Answer {
        Answer(
            status: status,
            body: Array("{\"error\":".utf8) + JSONText.quoted(message)
                + Array(",\"code\":\"\(code)\"}".utf8))
    }

    private struct NotServable: Error { let message: String }

    // MARK: Loading

    /// The version as the server has it now: one that was deleted and made anew is another.
    private func loaded(_ key: ModelVersionKey) async throws -> LoadedRevision {
        let servable = try await servable(key)
        uses += 1
        if var known = residents[key], known.digest == servable.digest {
            known.lastUse = uses
            residents[key] = known
            return try await known.loading.value
        }
        await makeRoom(for: key)
        let loader = loader
        let served = ServedRevision(
            id: RevisionID("registered"), number: 0, weightPercent: 0, modelName: key.model,
            modelVersion: String(key.version), servable: servable)
        let loading = Task { try await loader.load(served, endpoint: key.model) }
        residents[key] = Resident(loading: loading, digest: servable.digest, lastUse: uses)
        do {
            return try await loading.value
        } catch {
            residents[key] = nil
            throw error
        }
    }

    private func servable(_ key: ModelVersionKey) async throws -> ServableReference {
        let reply = try await client.call(
            ShowServable.self, path: ["name": key.model, "version": String(key.version)])
        guard let digest = reply.digest, let size = reply.sizeBytes, let manifest = reply.manifest
        else {
            throw NotServable(
                message: "\(key) cannot be served: its conversion is \(reply.state)"
                    + (reply.reason.map { " (\($0))" } ?? ""))
        }
        return ServableReference(digest: digest, sizeBytes: size, manifest: manifest)
    }

    private func makeRoom(for key: ModelVersionKey) async {
        var gone = residents[key].map { [$0] } ?? []
        residents[key] = nil
        while residents.count >= Self.most,
            let oldest = residents.min(by: { $0.value.lastUse < $1.value.lastUse })
        {
            residents[oldest.key] = nil
            gone.append(oldest.value)
        }
        for resident in gone { await Self.stop(resident) }
    }

    private static func stop(_ resident: Resident) async {
        guard let revision = try? await resident.loading.value else { return }
        if case .remote(let model) = revision.execution { await model.stop() }
    }

    /// Ends the processes of all Python models.
    func stop() async {
        let all = residents.values
        residents = [:]
        for resident in all { await Self.stop(resident) }
    }

    // MARK: Answering

    /// Reads, runs and writes as the event loops do.
    private static func run(
        _ question: Question, _ revision: LoadedRevision
    ) throws -> Answer {
        let request = InferenceRequest()
        request.tensors.missingText = revision.missingText
        request.tensors.limitBytes = question.tensorLimitBytes
        let reply = TensorSet()
        let body = question.body ?? ByteBuffer()
        if question.isMessage { return try runMessage(body, revision, request, reply) }
        let scoring = try body.withUnsafeReadableBytes { bytes -> ScoringRequest? in
            guard !question.isScoring else {
                return try ScoringRequest(
                    bytes, of: body, contentType: question.contentType, revision: revision,
                    into: request)
            }
            try revision.read(bytes, jsonLength: question.jsonLength, into: request)
            return nil
        }
        if let fault = revision.rules?.fault(in: request.tensors) { throw fault }
        try revision.runner.run(request, into: reply)
        if let fault = scoring?.fault(in: reply) { throw fault }
        var jsonLength: Int?
        let bytes = try written(scoring?.bound(reply) ?? revision.replies.bound(request, reply)) {
            if let scoring {
                scoring.write(reply, to: &$0)
            } else {
                jsonLength = revision.replies.write(request, reply, to: &$0)
            }
        }
        return Answer(
            status: 200, body: bytes,
            headers: jsonLength.map { [("inference-header-content-length", String($0))] } ?? [])
    }

    /// A message `ModelInferRequest`, answered by a `ModelInferResponse`.
    private static func runMessage(
        _ body: ByteBuffer, _ revision: LoadedRevision, _ request: InferenceRequest,
        _ reply: TensorSet
    ) throws -> Answer {
        try body.withUnsafeReadableBytes {
            try revision.read(message: $0, into: request)
        }
        if let fault = revision.rules?.fault(in: request.tensors) { throw fault }
        try revision.runner.run(request, into: reply)
        let plan = revision.messages.plan(request, reply)
        let bytes = try written(plan.byteCount) {
            revision.messages.write(request, reply, plan, to: &$0)
        }
        return Answer(status: 200, contentType: PredictionForm.messageType, body: bytes)
    }

    /// - Parameter bound: the most bytes that are written.
    private static func written(
        _ bound: Int, _ write: (inout ByteWriter) -> Void
    ) throws(InferenceError) -> [UInt8] {
        guard bound <= LargeBodies.answerLimitBytes else { throw .answerTooLarge(bound) }
        return [UInt8](unsafeUninitializedCapacity: max(bound, 1)) { memory, count in
            var writer = ByteWriter(UnsafeMutableRawBufferPointer(memory))
            write(&writer)
            count = writer.count
        }
    }
}
