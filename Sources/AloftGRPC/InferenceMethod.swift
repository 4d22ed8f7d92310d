import AloftDomain
import AloftEdge
import AloftGateway
import AloftInference
import NIOCore
import SwiftProtobuf

/// The methods of `inference.GRPCInferenceService`.
enum InferenceMethod: String {
    case serverLive = "ServerLive"
    case serverReady = "ServerReady"
    case serverMetadata = "ServerMetadata"
    case modelReady = "ModelReady"
    case modelMetadata = "ModelMetadata"
    case modelConfig = "ModelConfig"
    case modelStatistics = "ModelStatistics"
    case modelInfer = "ModelInfer"
    case modelStreamInfer = "ModelStreamInfer"
    case repositoryIndex = "RepositoryIndex"
    case repositoryModelLoad = "RepositoryModelLoad"
    case repositoryModelUnload = "RepositoryModelUnload"

    /// Liveness is no secret.
    var isPublic: Bool { self == .serverLive || self == .serverReady }

    private static let service = "/inference.GRPCInferenceService/"
    private static let infer = service + "ModelInfer"

    init?(path: String) {
        if path == Self.infer {
            self = .modelInfer
            return
        }
        guard path.hasPrefix(Self.service) else { return nil }
        self.init(rawValue: String(path.dropFirst(Self.service.count)))
    }
}

/// Answers every method but `ModelInfer` and `ModelStreamInfer`; their messages are read by generated code.
struct SmallMethods: Sendable {
    let models: InferenceAccess

    func answer(
        _ method: InferenceMethod, _ message: ByteBuffer, token: String?, place: RemoteAddress?
    ) async -> Result<ByteBuffer, Status> {
        do {
            if !method.isPublic { try await models.authorize(token, from: place) }
            let asked = Array(buffer: message)
            if let bytes = try await tritonReply(method, asked) {
                return .success(ByteBuffer(bytes: bytes))
            }
            let reply = try await reply(method, asked, token)
            let bytes: [UInt8] = try reply.serializedBytes()
            return .success(ByteBuffer(bytes: bytes))
        } catch let error as CallRefusal {
            return .failure(Status(error))
        } catch let error as Status {
            return .failure(error)
        } catch {
            return .failure(Status(.internal, "The answer could not be written: \(error)"))
        }
    }

    private func reply(
        _ method: InferenceMethod, _ bytes: [UInt8], _ token: String?
    ) async throws -> any Message {
        switch method {
        case .serverLive: return Inference_ServerLiveResponse.with { $0.live = true }
        case .serverReady:
            let isReady = await models.isReady
            return Inference_ServerReadyResponse.with { $0.ready = isReady }
        case .serverMetadata:
            return Inference_ServerMetadataResponse.with {
                $0.name = "aloft"
                $0.version = "1"
                $0.extensions = ["model_configuration", "model_repository", "statistics"]
            }
        case .modelReady:
            let asked: Inference_ModelReadyRequest = try Self.read(bytes)
            let isReady = try await models.isReady(asked.name, version: asked.version)
            return Inference_ModelReadyResponse.with { $0.ready = isReady }
        case .modelMetadata: return try await metadata(try Self.read(bytes))
        case .repositoryIndex: return await index(try Self.read(bytes))
        case .repositoryModelLoad:
            let asked: Inference_RepositoryModelLoadRequest = try Self.read(bytes)
            try await models.load(asked.modelName, token)
            return Inference_RepositoryModelLoadResponse()
        case .repositoryModelUnload:
            let asked: Inference_RepositoryModelUnloadRequest = try Self.read(bytes)
            try await models.unload(asked.modelName, token)
            return Inference_RepositoryModelUnloadResponse()
        case .modelConfig, .modelStatistics, .modelInfer, .modelStreamInfer:
            throw Status(.internal, "\(method.rawValue) is not answered here.")
        }
    }

    private func metadata(
        _ asked: Inference_ModelMetadataRequest
    ) async throws(CallRefusal) -> Inference_ModelMetadataResponse {
        let model = try await models.description(asked.name, version: asked.version)
        return .with {
            $0.name = model.name
            $0.versions = model.versions
            $0.platform = model.platform
            $0.inputs = model.inputs.map(Self.metadata)
            $0.outputs = model.outputs.map(Self.metadata)
        }
    }

    private static func metadata(
        _ tensor: TensorSignature
    ) -> Inference_ModelMetadataResponse.TensorMetadata {
        .with {
            $0.name = tensor.name
            $0.datatype = tensor.datatype.name
            $0.shape = (tensor.shape ?? []).map(Int64.init)
        }
    }

    private func index(
        _ asked: Inference_RepositoryIndexRequest
    ) async -> Inference_RepositoryIndexResponse {
        let entries = await models.index(readyOnly: asked.ready)
        return .with { response in
            response.models = entries.map { entry in
                .with {
                    $0.name = entry.name
                    $0.version = entry.version
                    $0.state = entry.state
                    $0.reason = entry.reason
                }
            }
        }
    }

    /// Messages that name a model and little else.
    private static let smallBytes = 64 << 10

    static func read<Asked: Message>(_ bytes: [UInt8]) throws(Status) -> Asked {
        guard bytes.count <= smallBytes else {
            throw Status(
                .resourceExhausted,
                "The message has \(bytes.count) bytes; a \(Asked.protoMessageName) has at most \(smallBytes)."
            )
        }
        do {
            return try Asked(serializedBytes: bytes)
        } catch {
            throw Status(
                .invalidArgument, "The message is no \(Asked.protoMessageName): \(error)")
        }
    }
}
