import AloftDomain
import AloftWire
import Foundation
import HTTPTypes
import Hummingbird

/// Liveness and the description of `/api/v1`.
package struct ServerRoutes: Sendable {
    package init() {}

    package func add(to routes: inout APIRoutes) {
        routes.raw(.get, "/health", .greet) { _, _ in
            Response(
                status: .ok, headers: [.contentType: "text/plain"],
                body: .init(byteBuffer: ByteBuffer(string: "OK")))
        }
        let document = OpenAPIDocument(endpoints: routes.descriptions)
        routes.raw(.get, "/api/v1/openapi.json", .greet) { _, _ in
            ErrorResponse.json(document.json, status: .ok)
        }
    }
}
