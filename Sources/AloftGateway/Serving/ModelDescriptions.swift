import AloftDomain
package import AloftInference
import AloftWire

/// What a deployment takes and gives, as the protocols describe it.
package struct ModelDescription: Sendable {
    package let name: String
    /// The model versions in memory.
    package let versions: [String]
    /// `onnxruntime_onnx` or `python`.
    package let platform: String
    /// The same in Triton's words: `onnxruntime` or `python`.
    package let backend: String
    package let inputs: [TensorSignature]
    package let outputs: [TensorSignature]
}

/// One line of the model repository's index.
package struct ModelIndexEntry: Sendable, Equatable {
    package let name: String
    /// Empty where no version is in memory.
    package let version: String
    package let isReady: Bool
    /// Why it is not ready; empty where it is.
    package let reason: String

    /// As the protocol writes it.
    package var state: String { isReady ? "READY" : "UNAVAILABLE" }
}

extension RoutingTable {
    func endpoint(_ name: String) throws(GatewayFailure) -> RoutedEndpoint {
        guard let endpoint = endpoints[name] else {
            throw .endpointNotFound(name: name, known: endpoints.keys.sorted())
        }
        return endpoint
    }

    /// The revision that serves this version, or the one with traffic where no version is asked for:
    /// `nil` while none is ready.
    func revision(
        _ endpoint: RoutedEndpoint, version: String?
    ) throws(GatewayFailure) -> LoadedRevision? {
        guard let version, !version.isEmpty else { return endpoint.routes.first?.revision }
        guard let revision = endpoint.revision(version: version) else {
            throw .versionNotFound(
                name: endpoint.served.name, version: version,
                known: Set(endpoint.loaded.map(\.served.modelVersion)).sorted())
        }
        return revision
    }

    func isReady(_ name: String, version: String?) throws(GatewayFailure) -> Bool {
        let endpoint = try endpoint(name)
        if endpoint.isEvicted { return true }
        return try revision(endpoint, version: version) != nil
    }

    /// Which endpoints cannot answer, in words.
    func whyNotReady(isDraining: Bool) -> String {
        if isDraining { return "the gateway is shutting down" }
        let waiting = endpoints.values.filter { !$0.isReady }
            .sorted { $0.served.name < $1.served.name }
        guard !waiting.isEmpty else { return "the server has not said what to serve yet" }
        return waiting.prefix(10).map { "\($0.served.name): \($0.reason)" }.joined(separator: "; ")
            + (waiting.count > 10 ? "; and \(waiting.count - 10) more" : "")
    }

    func description(
        _ name: String, version: String?
    ) throws(GatewayFailure) -> ModelDescription {
        let endpoint = try endpoint(name)
        guard
            let revision = try revision(endpoint, version: version) ?? endpoint.loaded.last
        else { throw .notReady(name: name, reason: endpoint.reason) }
        let isOnnx = revision.served.servable.manifest.runtime == .onnx
        return ModelDescription(
            name: name, versions: endpoint.loaded.map(\.served.modelVersion),
            platform: isOnnx ? "onnxruntime_onnx" : "python",
            backend: isOnnx ? "onnxruntime" : "python",
            inputs: revision.publishedInputs, outputs: revision.signature.outputs)
    }

    func index(readyOnly: Bool) -> [ModelIndexEntry] {
        endpoints.values.sorted { $0.served.name < $1.served.name }.flatMap { endpoint in
            let name = endpoint.served.name
            guard endpoint.loaded.isEmpty else {
                return endpoint.loaded.map { revision in
                    ModelIndexEntry(
                        name: name, version: revision.served.modelVersion, isReady: true, reason: ""
                    )
                }
            }
            return readyOnly
                ? []
                : [
                    ModelIndexEntry(
                        name: name, version: "", isReady: false, reason: endpoint.reason)
                ]
        }
    }
}
