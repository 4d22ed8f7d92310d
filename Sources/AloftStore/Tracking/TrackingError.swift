package import AloftDomain

/// What tracking refuses, as facts.
package enum TrackingError: Refusal, Equatable {
    case experimentNotFound(String)
    case experimentExists(name: String)
    case experimentDeleted(String)
    case experimentNotDeleted(String)
    case runNotFound(String)
    case runDeleted(String)
    case paramChanged(key: String, old: String, new: String)
    case tagNotFound(key: String)
    case loggedModelNotFound(String)
    case loggedModelTagNotFound(key: String, model: String)

    package var code: String {
        switch self {
        case .experimentNotFound: "experiment_not_found"
        case .experimentExists: "experiment_exists"
        case .experimentDeleted: "experiment_deleted"
        case .experimentNotDeleted: "experiment_not_deleted"
        case .runNotFound: "run_not_found"
        case .runDeleted: "run_deleted"
        case .paramChanged: "param_changed"
        case .tagNotFound: "tag_not_found"
        case .loggedModelNotFound: "logged_model_not_found"
        case .loggedModelTagNotFound: "logged_model_tag_not_found"
        }
    }

    package var kind: RefusalKind {
        switch self {
        case .experimentNotFound, .experimentNotDeleted, .runNotFound, .tagNotFound,
            .loggedModelNotFound, .loggedModelTagNotFound:
            .notFound
        case .experimentExists, .experimentDeleted, .runDeleted: .conflict
        case .paramChanged: .invalid
        }
    }

    package var message: String {
        switch self {
        case .experimentNotFound(let id): "No Experiment with id=\(id.prefix(250)) exists"
        case .experimentExists(let name):
            "Experiment(name=\(name)) already exists; a deleted experiment keeps its name."
        case .experimentDeleted(let id):
            "The experiment \(id) must be in the 'active' state. Current state is deleted."
        case .experimentNotDeleted(let id): "No deleted Experiment with id=\(id) exists"
        case .runNotFound(let id): "Run with id=\(id.prefix(300)) not found"
        case .runDeleted(let id):
            "The run \(id) must be in the 'active' state. Current state is deleted."
        case .paramChanged(let key, let old, let new):
            "Changing param values is not allowed. Param with key='\(key)' was already logged with "
                + "value='\(old)'. Attempted logging new value '\(new)'."
        case .tagNotFound(let key): "No tag with name: \(key.prefix(300))"
        case .loggedModelNotFound(let id): "Logged model with ID '\(id.prefix(300))' not found."
        case .loggedModelTagNotFound(let key, let model):
            "No tag with key '\(key.prefix(300))' found for model with ID '\(model.prefix(300))'."
        }
    }
}
