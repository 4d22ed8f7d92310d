// text-file: paths and names of our own endpoints
import AloftDomain
import AloftWire

/// The OpenAPI 3.1 document of every endpoint added before it was made.
struct OpenAPIDocument: Sendable {
    let json: JSONValue
    /// Types that the document describes only in part (see `SchemaCatalog`).
    let incomplete: Set<String>

    init(endpoints: [EndpointDescription]) {
        var catalog = SchemaCatalog()
        var paths: [String: [String: JSONValue]] = [:]
        for endpoint in endpoints {
            paths[endpoint.path, default: [:]][endpoint.method.rawValue] = Self.operation(
                endpoint, catalog: &catalog)
        }
        incomplete = catalog.incomplete
        json = .object([
            "openapi": .string("3.1.0"),
            "info": .object(["title": .string("Aloft"), "version": .string("v1")]),
            "paths": .object(paths.mapValues(JSONValue.object)),
            "components": .object(["schemas": .object(catalog.components)]),
        ])
    }

    private static func operation(
        _ endpoint: EndpointDescription, catalog: inout SchemaCatalog
    ) -> JSONValue {
        let names = endpoint.path.split(separator: "/")
            .filter { $0.hasPrefix("{") && $0.hasSuffix("}") }
            .map { String($0.dropFirst().dropLast()) }
        let parameters = names.map { name -> JSONValue in
            .object([
                "name": .string(name), "in": .string("path"), "required": .bool(true),
                "schema": .type("string"),
            ])
        }
        var operation: [String: JSONValue] = [
            "operationId": .string(endpoint.name), "summary": .string(endpoint.summary),
            "parameters": .array(parameters),
            "responses": .object([
                "200": response("Done", schema: catalog.schema(of: endpoint.reply)),
                "default": response("Refused", schema: catalog.schema(of: ErrorReply.self)),
            ]),
        ]
        if endpoint.hasBody {
            operation["requestBody"] = .object([
                "required": .bool(true), "content": content(catalog.schema(of: endpoint.body)),
            ])
        }
        return .object(operation)
    }

    private static func response(_ description: String, schema: JSONValue) -> JSONValue {
        .object(["description": .string(description), "content": content(schema)])
    }

    private static func content(_ schema: JSONValue) -> JSONValue {
        .object(["application/json": .object(["schema": schema])])
    }
}
