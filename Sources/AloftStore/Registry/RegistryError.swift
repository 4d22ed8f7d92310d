package import AloftDomain

/// What the registry refuses, as facts.
package enum RegistryError: Refusal, Equatable {
    case modelNotFound(name: String)
    case modelExists(name: String)
    case promptExists(name: String)
    /// A prompt has the name of a model that is to be made, or the other way round.
    case nameTaken(name: String, byPrompt: Bool)
    case versionNotFound(name: String, version: Int64)
    case aliasNotFound(name: String, alias: String)
    /// A model of one project would get a name that another has.
    case nameOfOther(NameOwner, model: String, of: ProjectID)
    /// A version may not have its files there.
    case invalidSource(String, SourceFault)

    /// A name cannot be given again.
    static func taken(_ name: String, byPrompt: Bool, isPrompt: Bool) -> Self {
        guard byPrompt == isPrompt else { return .nameTaken(name: name, byPrompt: byPrompt) }
        return isPrompt ? .promptExists(name: name) : .modelExists(name: name)
    }

    package var code: String {
        switch self {
        case .modelNotFound: "model_not_found"
        case .modelExists: "model_exists"
        case .promptExists: "prompt_exists"
        case .nameTaken: "model_name_taken"
        case .versionNotFound: "model_version_not_found"
        case .aliasNotFound: "model_alias_not_found"
        case .nameOfOther: "model_name_of_other_project"
        case .invalidSource: "model_source_invalid"
        }
    }

    package var kind: RefusalKind {
        switch self {
        case .modelNotFound, .versionNotFound, .aliasNotFound: .notFound
        case .modelExists, .promptExists, .nameTaken, .nameOfOther: .conflict
        case .invalidSource: .invalid
        }
    }

    package var message: String {
        switch self {
        case .modelNotFound(let name): "Registered Model with name=\(name) not found"
        case .modelExists(let name): "Registered Model (name=\(name)) already exists."
        case .promptExists(let name): "Prompt (name=\(name)) already exists."
        case .nameTaken(let name, true):
            "Tried to create a registered model with name '\(name)', but the name is already taken "
                + "by a prompt. MLflow does not allow creating a model and a prompt with the same name."
        case .nameTaken(let name, false):
            "Tried to create a prompt with name '\(name)', but the name is already taken by a "
                + "registered model. MLflow does not allow creating a model and a prompt with the "
                + "same name."
        case .versionNotFound(let name, let version):
            "Model Version (name=\(name), version=\(version)) not found"
        case .aliasNotFound(let name, let alias):
            "Registered model alias \(alias) not found. Model: \(name)"
        case .nameOfOther(let owner, let model, let project):
            "Registered Model (name=\(model)) is the project \(project)'s and cannot be renamed to "
                + "\(owner.name), which is the project \(owner.project)'s. Take another name, or make "
                + "\(owner.name) \(project)'s own in its project file: aloft apply --take-over"
        case .invalidSource(let source, let fault): fault.message(source.prefix(300))
        }
    }
}
