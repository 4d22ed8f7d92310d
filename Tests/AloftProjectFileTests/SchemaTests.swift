import AloftDomain
import Foundation
import Testing

@testable import AloftProjectFile

/// Holds the published JSON Schema against the parser.
struct SchemaTests {
    static let path = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent()
        .appendingPathComponent("docs/reference/aloft-schema.json")

    func definitions() throws -> [String: JSONValue] {
        let schema = try JSONDecoder().decode(JSONValue.self, from: Data(contentsOf: Self.path))
        guard case .object(let definitions) = schema["$defs"] else {
            Issue.record("the schema has no definitions")
            return [:]
        }
        return definitions
    }

    static let sections: [(String, [String])] = [
        ("file", ProjectFileKeys.file), ("environment", ProjectFileKeys.environment),
        ("job", ProjectFileKeys.job), ("resources", ProjectFileKeys.resources),
        ("sweep", ProjectFileKeys.sweep), ("asha", ProjectFileKeys.asha),
        ("median", ProjectFileKeys.median), ("dimension", ProjectFileKeys.dimension),
        ("model", ProjectFileKeys.model), ("deployment", ProjectFileKeys.deployment),
        ("rollout", ProjectFileKeys.rollout), ("monitor", ProjectFileKeys.monitor),
        ("drift", ProjectFileKeys.drift), ("quality", ProjectFileKeys.quality),
        ("trigger", ProjectFileKeys.trigger), ("shadow", ProjectFileKeys.shadow),
        ("segments", ProjectFileKeys.segments), ("segmentKey", ProjectFileKeys.segmentKey),
        ("segment", ProjectFileKeys.segment),
    ]

    @Test func `every section has the parser's keys and no others`() throws {
        let definitions = try definitions()
        for (name, keys) in Self.sections {
            let section = try #require(definitions[name], "\(name)")
            guard case .object(let properties) = section["properties"] else {
                Issue.record("\(name) has no properties")
                continue
            }
            #expect(Set(properties.keys) == Set(keys), "\(name)")
            #expect(section["additionalProperties"] == .bool(false), "\(name)")
        }
    }

    @Test func `every choice of words is the parser's`() throws {
        let definitions = try definitions()
        func words(_ section: String, _ key: String) -> JSONValue? {
            definitions[section]?["properties"]?[key]?["enum"]
        }
        func list(_ words: [String]) -> JSONValue { .array(words.map(JSONValue.string)) }
        #expect(words("sweep", "method") == list(SweepDefinition.Method.allCases.map(\.rawValue)))
        #expect(
            words("drift", "test") == list(MonitorDefinition.Drift.Test.allCases.map(\.rawValue)))
        #expect(
            words("deployment", "batch") == list(ExecutionRules.Batch.allCases.map(\.rawValue)))
        #expect(
            words("trigger", "then") == list(TriggerDefinition.Sequel.allCases.map(\.rawValue)))
    }

    /// The samples that `tests/schema/test_project_file_schema.py` checks with the schema itself.
    @Test func `the shared samples are judged as they say`() throws {
        let folder = Self.path.deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appendingPathComponent("Tests/Samples/project-files")
        let files = try FileManager.default.contentsOfDirectory(atPath: folder.path)
            .filter { $0.hasSuffix(".yaml") }
        try #require(files.count > 20)
        for file in files {
            let text = try String(contentsOf: folder.appendingPathComponent(file), encoding: .utf8)
            let found = faults(in: text)
            #expect(found.isEmpty == file.hasPrefix("valid"), "\(file): \(found)")
        }
    }
}
