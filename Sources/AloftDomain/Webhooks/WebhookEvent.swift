/// What a webhook can be told of: something of the registry, and what happened to it.
package struct WebhookEvent: Hashable, Sendable {
    /// As written in deliveries; requests write it in capitals.
    package enum Entity: String, Sendable, CaseIterable {
        case registeredModel = "registered_model"
        case modelVersion = "model_version"
        case modelVersionTag = "model_version_tag"
        case modelVersionAlias = "model_version_alias"
        case prompt = "prompt"
        case promptVersion = "prompt_version"
        case promptTag = "prompt_tag"
        case promptVersionTag = "prompt_version_tag"
        case promptAlias = "prompt_alias"
    }

    package enum Action: String, Sendable, CaseIterable { case created, deleted, set }

    package let entity: Entity
    package let action: Action

    /// `nil` if this never happens to such a thing.
    package init?(_ entity: Entity, _ action: Action) {
        guard Self.actions(of: entity).contains(action) else { return nil }
        self.entity = entity
        self.action = action
    }

    /// What can happen to such a thing.
    package static func actions(of entity: Entity) -> [Action] {
        switch entity {
        case .registeredModel, .modelVersion, .prompt, .promptVersion: [.created]
        case .modelVersionTag, .promptTag, .promptVersionTag: [.set, .deleted]
        case .modelVersionAlias, .promptAlias: [.created, .deleted]
        }
    }

    /// Data like that of a real event, for trying a webhook out.
    package var exampleData: [String: JSONValue] {
        var texts = ["name": isOfPrompt ? "example_prompt" : "example_model"]
        switch entity {
        case .registeredModel, .prompt: break
        case .modelVersion:
            texts["source"] = "models:/123"
            texts["run_id"] = "abcd1234abcd5678"
        case .promptVersion: texts["template"] = "Hello {{name}}!"
        case .modelVersionTag, .promptTag, .promptVersionTag: texts["key"] = "example_key"
        case .modelVersionAlias, .promptAlias: texts["alias"] = "example_alias"
        }
        if action == .set { texts["value"] = "example_value" }
        if hasVersion { texts["version"] = "1" }
        var data = texts.mapValues { JSONValue.string($0) }
        if action == .created, texts["alias"] == nil {
            data["tags"] = .object(["example_key": .string("example_value")])
            data["description"] = .string("An example")
        }
        return data
    }

    private var isOfPrompt: Bool { entity.rawValue.hasPrefix("prompt") }

    private var hasVersion: Bool {
        switch entity {
        case .modelVersion, .promptVersion, .modelVersionTag, .promptVersionTag: true
        case .modelVersionAlias, .promptAlias: action == .created
        case .registeredModel, .prompt, .promptTag: false
        }
    }
}
