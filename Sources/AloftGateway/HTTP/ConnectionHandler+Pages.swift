import AloftDomain
import AloftInference
import AloftWire

/// Everything but predictions: health, metadata, metrics, and the model repository.
extension ConnectionHandler {
    func page(_ path: String) {
        let segments = path.split(separator: "/").map(String.init)
        switch (segments.first, segments.count) {
        case ("v2", 1):
            json(
                #"{"name":"aloft","version":"1","extensions":["binary_tensor_data","model_repository"]}"#
            )
        case ("v2", 3) where path == "/v2/health/live": json(#"{"live":true}"#)
        case ("v2", 3) where path == "/v2/health/ready":
            let isReady = loop.table.isReady && !loop.isDraining
            json("{\"ready\":\(isReady)}", status: isReady ? 200 : 503)
        case ("v2", 2) where segments[1] == "models":
            let names = loop.table.endpoints.keys.sorted().map(Self.quoted)
            json("{\"models\":[\(names.joined(separator: ","))]}")
        case ("v2", 3) where segments[1] == "models": metadata(segments[2], version: nil)
        case ("v2", 4) where segments[1] == "models" && segments[3] == "ready":
            ready(segments[2], version: nil)
        case ("v2", 5) where segments[1] == "models" && segments[3] == "versions":
            metadata(segments[2], version: segments[4])
        case ("v2", 6)
        where segments[1] == "models" && segments[3] == "versions" && segments[5] == "ready":
            ready(segments[2], version: segments[4])
        case ("metrics", 1):
            let metrics = loop.shared.metrics
            later({ await metrics() }) { handler, text in
                handler.answer(
                    status: 200, contentType: "text/plain; version=0.0.4", body: Array(text.utf8))
            }
        case ("health", 1), ("ping", 1):
            answer(status: 200, contentType: "text/plain", body: Array("OK".utf8))
        default: answer(.noSuchRoute(path: String(path.prefix(200))))
        }
    }

    private func json(_ text: String, status: Int = 200) {
        answer(status: status, body: Array(text.utf8))
    }

    private static func quoted(_ text: String) -> String {
        String(decoding: JSONText.quoted(text), as: UTF8.self)
    }

    private func found(_ name: String, version: String?) -> (RoutedEndpoint, LoadedRevision?)? {
        guard let endpoint = loop.table.endpoints[name] else {
            answer(.endpointNotFound(name: name, known: loop.table.endpoints.keys.sorted()))
            return nil
        }
        guard let version else { return (endpoint, endpoint.routes.first?.revision) }
        guard let revision = endpoint.revision(version: version) else {
            let known = Set(endpoint.loaded.map(\.served.modelVersion)).sorted()
            answer(.versionNotFound(name: name, version: version, known: known))
            return nil
        }
        return (endpoint, revision)
    }

    private func ready(_ name: String, version: String?) {
        guard let (_, revision) = found(name, version: version) else { return }
        let isReady = revision != nil && !loop.isDraining
        json(
            "{\"name\":\(Self.quoted(name)),\"ready\":\(isReady)}", status: isReady ? 200 : 503)
    }

    private func metadata(_ name: String, version: String?) {
        guard let (endpoint, revision) = found(name, version: version) else { return }
        guard let revision = revision ?? endpoint.loaded.last else {
            return answer(.notReady(name: name, reason: endpoint.reason))
        }
        let versions = endpoint.loaded.map { Self.quoted($0.served.modelVersion) }
        let platform =
            revision.served.servable.manifest.runtime == .onnx ? "onnxruntime_onnx" : "python"
        json(
            "{\"name\":\(Self.quoted(name)),\"versions\":[\(versions.joined(separator: ","))],"
                + "\"platform\":\"\(platform)\",\"inputs\":\(Self.list(revision.signature.inputs)),"
                + "\"outputs\":\(Self.list(revision.signature.outputs))}")
    }

    private static func list(_ tensors: [TensorSignature]) -> String {
        let items = tensors.map { tensor in
            let shape = (tensor.shape ?? []).map(String.init).joined(separator: ",")
            return "{\"name\":\(quoted(tensor.name)),\"datatype\":\"\(tensor.datatype.name)\","
                + "\"shape\":[\(shape)]}"
        }
        return "[\(items.joined(separator: ","))]"
    }

    /// The model repository extension. What is loaded follows from deployments, so only the index
    /// does something here.
    func administration(_ path: String) {
        guard path == "/v2/repository/index" else {
            return answerError(
                status: 400, code: "managed_by_deployments",
                message:
                    "Models are loaded by deployments: `aloft deploy NAME --model MODEL@ALIAS` "
                    + "loads one, and `aloft rollback NAME` returns to the one before.")
        }
        let items = loop.table.endpoints.values.sorted { $0.served.name < $1.served.name }
            .flatMap { endpoint in
                endpoint.loaded.map { revision in
                    "{\"name\":\(Self.quoted(endpoint.served.name)),\"version\":"
                        + "\(Self.quoted(revision.served.modelVersion)),\"state\":\"READY\"}"
                }
            }
        json("[\(items.joined(separator: ","))]")
    }
}
