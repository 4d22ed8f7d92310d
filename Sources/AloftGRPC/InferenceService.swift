import AloftGateway
import AloftInference
import GRPCCore
import GRPCProtobuf
import NIOCore
import SwiftProtobuf

/// The methods of `inference.GRPCInferenceService`.
struct InferenceService: RegistrableRPCService {
    private typealias Method = Inference_GRPCInferenceService.Method

    let models: InferenceAccess

    func registerMethods<Transport: ServerTransport>(with router: inout RPCRouter<Transport>) {
        registerInference(&router)
        registerHealth(&router)
        registerRepository(&router)
    }

    private func registerInference<Transport: ServerTransport>(
        _ router: inout RPCRouter<Transport>
    ) {
        router.registerHandler(
            forMethod: Method.ModelInfer.descriptor, deserializer: MessageBytesReader(),
            serializer: MessageBytesWriter()
        ) { request, _ in
            let request = try await ServerRequest(stream: request)
            let facts = try CallFacts(request.metadata)
            do throws(CallRefusal) {
                let answer = try await models.infer(request.message, facts)
                var metadata: Metadata = [
                    "x-aloft-prediction-id": "\(answer.predictionID)",
                    "x-aloft-revision": "\(answer.revision)",
                ]
                if let trace = answer.traceParent {
                    metadata.addString(trace, forKey: "traceparent")
                }
                return StreamingServerResponse(
                    single: ServerResponse(message: answer.message, metadata: metadata))
            } catch {
                throw error.rpcError
            }
        }
    }

    private func registerHealth<Transport: ServerTransport>(
        _ router: inout RPCRouter<Transport>
    ) {
        // Liveness is no secret.
        add(&router, Method.ServerLive.descriptor, isPublic: true) {
            (_: Inference_ServerLiveRequest, _) throws(CallRefusal) in
            Inference_ServerLiveResponse.with { $0.live = true }
        }
        add(&router, Method.ServerReady.descriptor, isPublic: true) {
            (_: Inference_ServerReadyRequest, _) async throws(CallRefusal) in
            let isReady = await models.isReady
            return Inference_ServerReadyResponse.with { $0.ready = isReady }
        }
        add(&router, Method.ServerMetadata.descriptor) {
            (_: Inference_ServerMetadataRequest, _) async throws(CallRefusal) in
            Inference_ServerMetadataResponse.with {
                $0.name = "aloft"
                $0.version = "1"
                $0.extensions = ["model_repository"]
            }
        }
        add(&router, Method.ModelReady.descriptor) {
            (message: Inference_ModelReadyRequest, _) async throws(CallRefusal) in
            let isReady = try await models.isReady(message.name, version: message.version)
            return Inference_ModelReadyResponse.with { $0.ready = isReady }
        }
        add(&router, Method.ModelMetadata.descriptor) {
            (message: Inference_ModelMetadataRequest, _) async throws(CallRefusal) in
            let model = try await models.description(message.name, version: message.version)
            return Inference_ModelMetadataResponse.with {
                $0.name = model.name
                $0.versions = model.versions
                $0.platform = model.platform
                $0.inputs = model.inputs.map(Self.metadata)
                $0.outputs = model.outputs.map(Self.metadata)
            }
        }
    }

    private func registerRepository<Transport: ServerTransport>(
        _ router: inout RPCRouter<Transport>
    ) {
        add(&router, Method.RepositoryIndex.descriptor) {
            (message: Inference_RepositoryIndexRequest, _) async throws(CallRefusal) in
            let entries = await models.index(readyOnly: message.ready)
            return Inference_RepositoryIndexResponse.with { response in
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
        add(&router, Method.RepositoryModelLoad.descriptor) {
            (message: Inference_RepositoryModelLoadRequest, token) async throws(CallRefusal) in
            try await models.load(message.modelName, token)
            return Inference_RepositoryModelLoadResponse()
        }
        add(&router, Method.RepositoryModelUnload.descriptor) {
            (message: Inference_RepositoryModelUnloadRequest, token) async throws(CallRefusal) in
            try await models.unload(message.modelName, token)
            return Inference_RepositoryModelUnloadResponse()
        }
    }

    /// Registers a method whose messages are read by generated code.
    private func add<Transport: ServerTransport, Request: Message, Response: Message>(
        _ router: inout RPCRouter<Transport>, _ method: MethodDescriptor, isPublic: Bool = false,
        _ answer: @escaping @Sendable (Request, String?) async throws(CallRefusal) -> Response
    ) {
        router.registerHandler(
            forMethod: method, deserializer: ProtobufDeserializer<Request>(),
            serializer: ProtobufSerializer<Response>()
        ) { request, _ in
            let request = try await ServerRequest(stream: request)
            let token = request.metadata.bearer
            do throws(CallRefusal) {
                if !isPublic { try await models.authorize(token) }
                return StreamingServerResponse(
                    single: ServerResponse(message: try await answer(request.message, token)))
            } catch {
                throw error.rpcError
            }
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
}
