import AloftDomain
import AloftWire
import Foundation
import HTTPTypes
import Hummingbird

/// Liveness and the description of `/api/v1`.
package struct ServerRoutes: Sendable {
    package init() {}

    package func add(to routes: inout APIRoutes) {
        routes.router.get("/health") { _, _ in
            Response(
                status: .ok, headers: [.contentType: "text/plain"],
                body: .init(byteBuffer: ByteBuffer(string: "OK")))
        }
        let document = OpenAPIDocument(endpoints: routes.descriptions)
        routes.router.get("/api/v1/openapi.json") { _, _ in
            ErrorResponse.json(document.json, status: .ok)
        }
    }
}

/// The OpenAPI 3.1 document of every endpoint added before it was made.
struct OpenAPIDocument: Sendable {
    let json: JSONValue

    init(endpoints: [EndpointDescription]) {
        var paths: [String: [String: JSONValue]] = [:]
        for endpoint in endpoints {
            paths[endpoint.path, default: [:]][endpoint.method.rawValue] = Self.operation(endpoint)
        }
        json = .object([
            "openapi": .string("3.1.0"),
            "info": .object(["title": .string("Aloft"), "version": .string("v1")]),
            "paths": .object(paths.mapValues(JSONValue.object)),
        ])
    }

    private static func operation(_ endpoint: EndpointDescription) -> JSONValue {
        let names = endpoint.path.split(separator: "/")
            .filter { $0.hasPrefix("{") && $0.hasSuffix("}") }
            .map { String($0.dropFirst().dropLast()) }
        let parameters = names.map { name -> JSONValue in
            .object([
                "name": .string(name), "in": .string("path"), "required": .bool(true),
                "schema": .object(["type": .string("string")]),
            ])
        }
        var operation: [String: JSONValue] = [
            "operationId": .string(endpoint.name), "summary": .string(endpoint.summary),
            "parameters": .array(parameters),
            "responses": .object(["200": .object(["description": .string("Done")])]),
        ]
        if endpoint.hasBody {
            operation["requestBody"] = .object([
                "required": .bool(true),
                "content": .object(["application/json": .object([:])]),
            ])
        }
        return .object(operation)
    }
}
