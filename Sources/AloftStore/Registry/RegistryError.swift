package import AloftDomain

/// What the registry refuses, as facts.
package enum RegistryError: Refusal, Equatable {
    case modelNotFound(name: String)
    case modelExists(name: String)
    case versionNotFound(name: String, version: Int64)
    case aliasNotFound(name: String, alias: String)
    /// A model of one project would get a name that another has.
    case nameOfOther(NameOwner, model: String, of: ProjectID)
    /// A version may not have its files there.
    case invalidSource(String)

    package var code: String {
        switch self {
        case .modelNotFound: "model_not_found"
        case .modelExists: "model_exists"
        case .versionNotFound: "model_version_not_found"
        case .aliasNotFound: "model_alias_not_found"
        case .nameOfOther: "model_name_of_other_project"
        case .invalidSource: "model_source_invalid"
        }
    }

    package var kind: RefusalKind {
        switch self {
        case .modelNotFound, .versionNotFound, .aliasNotFound: .notFound
        case .modelExists, .nameOfOther: .conflict
        case .invalidSource: .invalid
        }
    }

    package var message: String {
        switch self {
        case .modelNotFound(let name): "Registered Model with name=\(name) not found"
        case .modelExists(let name): "Registered Model (name=\(name)) already exists."
        case .versionNotFound(let name, let version):
            "Model Version (name=\(name), version=\(version)) not found"
        case .aliasNotFound(let name, let alias):
            "Registered model alias \(alias) not found. Model: \(name)"
        case .nameOfOther(let owner, let model, let project):
            "Registered Model (name=\(model)) is the project \(project)'s and cannot be renamed to "
                + "\(owner.name), which is the project \(owner.project)'s. Take another name, or make "
                + "\(owner.name) \(project)'s own in its project file: aloft apply --take-over"
        case .invalidSource(let source):
            "Invalid model version source: '\(source.prefix(300))'. It takes a models:/, "
                + "mlflow-artifacts:/ or cloud URI without '..'; a path of this machine only inside "
                + "of the artifacts of the run that 'run_id' names."
        }
    }
}
