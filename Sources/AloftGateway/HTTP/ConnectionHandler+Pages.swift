import AloftDomain
import AloftInference
import AloftWire
import Foundation
import NIOCore

/// Everything but predictions: health, metadata, metrics, and the model repository.
extension ConnectionHandler {
    func page(_ path: String) {
        let segments = path.pieces(at: "/").map(String.init)
        switch (segments.first, segments.count) {
        case ("v2", 1):
            json(
                #"{"name":"aloft","version":"1","extensions":["binary_tensor_data","model_configuration","model_repository","statistics"]}"#
            )
        case ("v2", 3) where path == "/v2/health/live": json(#"{"live":true}"#)
        case ("v2", 3) where path == "/v2/health/ready":
            let isReady = loop.table.isReady && !loop.isDraining
            let reason = isReady ? nil : loop.table.whyNotReady(isDraining: loop.isDraining)
            json(
                "{\"ready\":\(isReady)\(Self.reason(reason))}", status: isReady ? 200 : 503)
        case ("v2", 2) where segments[1] == "models":
            let names = loop.table.endpoints.keys.sorted().map(Self.quoted)
            json("{\"models\":[\(names.joined(separator: ","))]}")
        case ("v2", 4) where segments[1] == "models" && segments[3] == "versions":
            versions(segments[2])
        // A deployment of this name is asked as any other.
        case ("v2", 3)
        where path == "/v2/models/stats" && loop.table.endpoints["stats"] == nil:
            statistics(nil, version: nil)
        case ("v2", 4) where segments[1] == "models" && segments[3] == "config":
            configuration(segments[2], version: nil)
        case ("v2", 4) where segments[1] == "models" && segments[3] == "stats":
            statistics(segments[2], version: nil)
        case ("v2", 6)
        where segments[1] == "models" && segments[3] == "versions" && segments[5] == "config":
            configuration(segments[2], version: segments[4])
        case ("v2", 6)
        where segments[1] == "models" && segments[3] == "versions" && segments[5] == "stats":
            statistics(segments[2], version: segments[4])
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

    func json(_ text: String, status: Int = 200) {
        answer(status: status, body: Array(text.utf8))
    }

    static func quoted(_ text: String) -> String {
        String(decoding: JSONText.quoted(text), as: UTF8.self)
    }

    private func ready(_ name: String, version: String?) {
        do throws(GatewayFailure) {
            let isReady = try loop.table.isReady(name, version: version) && !loop.isDraining
            let reason = isReady ? nil : loop.table.endpoints[name]?.reason
            json(
                "{\"name\":\(Self.quoted(name)),\"ready\":\(isReady)\(Self.reason(reason))}",
                status: isReady ? 200 : 503)
        } catch {
            answer(error)
        }
    }

    /// Beside what the protocol says: clients that know nothing of it leave it out.
    private static func reason(_ text: String?) -> String {
        text.map { ",\"reason\":\(quoted($0))" } ?? ""
    }

    private func metadata(_ name: String, version: String?) {
        if let endpoint = loop.table.endpoints[name], endpoint.isEvicted {
            return loadOnDemand(endpoint)
        }
        do throws(GatewayFailure) {
            let model = try loop.table.description(name, version: version)
            let versions = model.versions.map(Self.quoted).joined(separator: ",")
            json(
                "{\"name\":\(Self.quoted(name)),\"versions\":[\(versions)],"
                    + "\"platform\":\"\(model.platform)\",\"inputs\":\(Self.list(model.inputs)),"
                    + "\"outputs\":\(Self.list(model.outputs))}")
        } catch {
            answer(error)
        }
    }

    private func versions(_ name: String) {
        do throws(GatewayFailure) {
            let endpoint = try loop.table.endpoint(name)
            let versions = endpoint.loaded.map { Self.quoted($0.served.modelVersion) }
            json(
                "{\"name\":\(Self.quoted(name)),\"versions\":[\(versions.joined(separator: ","))]}")
        } catch {
            answer(error)
        }
    }

    private static func list(_ tensors: [TensorSignature]) -> String {
        let items = tensors.map { tensor in
            let shape = (tensor.shape ?? []).map(String.init).joined(separator: ",")
            return "{\"name\":\(quoted(tensor.name)),\"datatype\":\"\(tensor.datatype.name)\","
                + "\"shape\":[\(shape)]}"
        }
        return "[\(items.joined(separator: ","))]"
    }

    /// Asks a version of the registry that no deployment needs to serve.
    func askRegistered(
        _ current: RequestInProgress, _ model: String, _ version: String, isScoring: Bool
    ) {
        guard let number = Int(version), number >= 1 else {
            return answer(.versionNotFound(name: model, version: version, known: []))
        }
        let registered = loop.shared.registered
        let question = RegisteredVersions.Question(
            key: ModelVersionKey(model: model, version: number), isScoring: isScoring,
            contentType: current.contentType, jsonLength: current.jsonLength, body: current.body,
            tensorLimitBytes: current.tensorLimitBytes)
        let (repository, token) = (loop.shared.repository, current.token)
        later { () async -> Result<RegisteredVersions.Answer, GatewayFailure> in
            do throws(GatewayFailure) {
                try await repository.authorizeQuestion(token)
                return .success(await registered.answer(question))
            } catch {
                return .failure(error)
            }
        } then: { handler, answer in
            switch answer {
            case .success(let answer):
                handler.answer(
                    status: answer.status, contentType: answer.contentType,
                    headers: answer.headers, body: answer.body)
            case .failure(let failure): handler.answer(failure)
            }
        }
    }

    /// The model repository extension: `index`, `models/NAME/load`, `models/NAME/unload`.
    func administration(_ path: String) {
        let segments = path.pieces(at: "/").map(String.init)
        switch (segments.count, segments.last) {
        case (3, "index"): index()
        case (5, "load") where segments[2] == "models": administer(segments[3], isLoad: true)
        case (5, "unload") where segments[2] == "models": administer(segments[3], isLoad: false)
        default: answer(.noSuchRoute(path: String(path.prefix(200))))
        }
    }

    private struct IndexRequest: Decodable { var ready: Bool? }

    private func index() {
        var readyOnly = false
        if let body = current?.body, body.readableBytes > 0 {
            // On the event loop, which has no time for more.
            let isShort = body.readableBytes <= 1024
            let request = body.withUnsafeReadableBytes {
                isShort ? try? JSONDecoder().decode(IndexRequest.self, from: Data($0)) : nil
            }
            guard let request else {
                return answer(
                    InferenceError.malformed(
                        expected: #"an object such as {"ready": true}"#, offset: 0))
            }
            readyOnly = request.ready ?? false
        }
        let items = loop.table.index(readyOnly: readyOnly).map { entry in
            "{\"name\":\(Self.quoted(entry.name)),\"version\":\(Self.quoted(entry.version)),"
                + "\"state\":\"\(entry.state)\",\"reason\":\(Self.quoted(entry.reason))}"
        }
        json("[\(items.joined(separator: ","))]")
    }

    private func administer(_ name: String, isLoad: Bool) {
        let repository = loop.shared.repository
        let token = current?.token
        later { () async -> GatewayFailure? in
            do throws(GatewayFailure) {
                if isLoad {
                    try await repository.load(name, token)
                } else {
                    try await repository.unload(name, token)
                }
                return nil
            } catch {
                return error
            }
        } then: { handler, failure in
            if let failure { handler.answer(failure) } else { handler.json("{}") }
        }
    }
}
