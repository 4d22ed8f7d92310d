import AloftDomain
import AloftWire
import Foundation
import Testing

@testable import AloftAPI

@Suite struct SchemaCatalogTests {
    enum Mood: String, Codable, CaseIterable { case calm, busy }

    struct Leaf: Codable {
        var digest: ContentDigest
        var note: String?
    }

    struct Tree: Codable {
        var id: RunID
        var count: Int64
        var share: Double
        var mood: Mood
        var leaves: [Leaf]
        var named: [String: Leaf]
        var maybe: [Int]?
        var children: [Tree]?
        var anything: JSONValue
        var at: Date
    }

    enum Closed: String, Codable { case one }
    struct Unseen: Codable {
        var closed: Closed
        var later: String
    }

    private func members(_ schema: JSONValue?) -> [String: JSONValue] {
        guard case .object(let object) = schema else { return [:] }
        return object
    }

    @Test func `a type with members becomes a component that names each`() throws {
        var catalog = SchemaCatalog()
        let schema = catalog.schema(of: Tree.self)
        #expect(schema == .reference("SchemaCatalogTestsTree"))
        #expect(catalog.incomplete.isEmpty)

        let tree = members(catalog.components["SchemaCatalogTestsTree"])
        let properties = members(tree["properties"])
        #expect(properties["id"] == .type("string"))
        #expect(properties["count"] == .type("integer"))
        #expect(properties["share"] == .type("number"))
        #expect(
            properties["mood"]
                == .object([
                    "type": .string("string"), "enum": .array([.string("calm"), .string("busy")]),
                ]))
        #expect(
            properties["leaves"]
                == .object([
                    "type": .string("array"), "items": .reference("SchemaCatalogTestsLeaf"),
                ]))
        #expect(
            properties["named"]
                == .object([
                    "type": .string("object"),
                    "additionalProperties": .reference("SchemaCatalogTestsLeaf"),
                ]))
        #expect(
            properties["children"]
                == .object([
                    "type": .string("array"), "items": .reference("SchemaCatalogTestsTree"),
                ]))
        #expect(properties["anything"] == .object([:]))
        let required: [JSONValue] = [
            "anything", "at", "count", "id", "leaves", "mood", "named", "share",
        ].map(JSONValue.string)
        #expect(tree["required"] == .array(required))
    }

    @Test func `what may be missing is not required`() {
        var catalog = SchemaCatalog()
        _ = catalog.schema(of: Leaf.self)
        let leaf = members(catalog.components["SchemaCatalogTestsLeaf"])
        #expect(members(leaf["properties"])["note"] == .type("string"))
        #expect(leaf["required"] == .array([.string("digest")]))
    }

    @Test func `a type that cannot be seen whole is named`() {
        var catalog = SchemaCatalog()
        _ = catalog.schema(of: Unseen.self)
        #expect(catalog.incomplete == ["SchemaCatalogTestsUnseen"])
    }

    @Test func `bodies and replies are described`() {
        let document = OpenAPIDocument(endpoints: [
            EndpointDescription(CreateToken.self), EndpointDescription(ReportGateway.self),
        ])
        #expect(document.incomplete.isEmpty, "give these enums CaseIterable")
        let components = members(members(members(document.json)["components"])["schemas"])
        #expect(components["CreateTokenBody"] != nil)
        #expect(components["CreateTokenReply"] != nil)
        #expect(components["RevisionReport"] != nil)
        #expect(components["ErrorReplyFailure"] != nil)
    }
}
