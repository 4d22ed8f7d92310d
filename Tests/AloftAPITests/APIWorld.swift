import AloftArtifacts
import AloftControl
import AloftDomain
import AloftMLflow
import AloftStore
import AloftTestKit
import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import NIOCore

@testable import AloftAPI

/// A router over a real store, without a socket.
struct APIWorld {
    let temporary: TemporaryStore
    let time = ManualTime()
    let chance = Chance.seeded(7)
    let router: Router<AloftRequestContext>

    var store: Store { temporary.store }

    init(access: PrincipalFinder.Access = .open) throws {
        temporary = try TemporaryStore()
        router = Router(context: AloftRequestContext.self)
        router.add(
            middleware: FrontMiddleware(
                principals: PrincipalFinder(store: temporary.store, access: access),
                carried: MLflowPaths.carried))
        var routes = APIRoutes(router: router, store: temporary.store)
        TokenRoutes(store: temporary.store, time: time.source, chance: chance).add(to: &routes)
        EventRoutes(store: temporary.store).add(to: &routes)
        let blobs = try BlobStore(root: temporary.folder.path + "/blobs", chance: chance)
        BlobRoutes(blobs: blobs).add(to: &routes)
        ProjectFileRoutes(
            store: temporary.store, time: time.source,
            sealer: { VariableSealer(key: "a key of this test alone") },
            hasBlob: { blobs.contains($0) }
        ).add(to: &routes)
        let starter = SweepStarter(
            store: temporary.store, time: time.source, chance: chance,
            sealer: { VariableSealer(key: "a key of tests") })
        SweepRoutes(store: temporary.store, starter: starter).add(to: &routes)
        ServerRoutes().add(to: &routes)
    }

    struct Answer {
        let status: Int
        let text: String

        /// The member `error.code` of the reply.
        var code: String? {
            let object = try? JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any]
            return (object?["error"] as? [String: Any])?["code"] as? String
        }
    }

    func call(
        _ method: HTTPRequest.Method, _ path: String, body: String? = nil,
        authorization: String? = nil
    ) async throws -> Answer {
        var headers = HTTPFields()
        if let authorization { headers[.authorization] = authorization }
        let sent = headers
        return try await Application(router: router).test(.router) { client in
            try await client.execute(
                uri: path, method: method, headers: sent,
                body: body.map { ByteBuffer(string: $0) }
            ) { response in
                Answer(status: response.status.code, text: String(buffer: response.body))
            }
        }
    }

    /// A live token of this kind; returns its secret.
    func makeToken(_ kind: TokenRecord.Kind, name: String) async throws -> String {
        let secret = TokenQueries.makeSecret(using: chance)
        let id: TokenID = chance.identifier()
        let now = time.now
        try await store.write { db in
            try TokenQueries.insert(
                db, id: id, name: name, kind: kind, secret: secret, project: .default, at: now)
        }
        return secret
    }
}
