package import AloftDomain
import AloftStore
import HTTPTypes
import Synchronization

/// Which things a call touches, found from what it names. Fields that are wrong are the handler's to
/// say: here they name nothing.
typealias Subject = @Sendable (AccessQueries, Call) throws -> [Claim]

/// What each route does, by method and path; a test holds it against the router.
package final class DeclaredActions: Sendable {
    // text: methods and paths of our own routes
    private let actions = Mutex<[String: Action]>([:])

    package init() {}

    // text: methods and paths of our own routes
    package var all: [String: Action] { actions.withLock { $0 } }

    func note(_ method: HTTPRequest.Method, _ path: String, _ action: Action) {
        actions.withLock { $0["\(method.rawValue) \(path)"] = action }
    }
}

enum Subjects {
    static let platform: Subject = { _, _ in [Claim(.platform)] }
    static let new: Subject = { _, _ in [Claim(.new)] }
    /// The handler narrows the list to `Call.narrowedProject`.
    static let list: Subject = { _, _ in [Claim(.ownProject)] }

    private static func text(_ call: Call, _ names: [String]) -> String? {
        for name in names {
            if let text = try? call.fields.optionalString(name), !text.isEmpty { return text }
        }
        return nil
    }

    // MARK: Tracking

    static let experiment: Subject = { queries, call in
        let id: String
        if case .int(let number)? = call.fields.value("experiment_id") {
            id = String(number)
        } else {
            id = text(call, ["experiment_id"]) ?? "0"
        }
        return [Claim(try queries.experiment(ExperimentID(id)))]
    }

    static let experimentByName: Subject = { queries, call in
        [Claim(try queries.experiment(named: text(call, ["experiment_name"]) ?? ""))]
    }

    /// A new experiment. What a job logs stays in the place that the server gives it.
    static let newExperiment: Subject = { queries, call in
        let location = text(call, ["artifact_location"]) ?? ""
        let isForeign = location.begins(with: "mlflow-artifacts:")
        return [Claim(isForeign ? .item(project: ProjectID(""), .none) : .new)]
    }

    static let experiments: Subject = { queries, call in
        try call.fields.strings("experiment_ids").map {
            Claim(try queries.experiment(ExperimentID($0)))
        }
    }

    static let run: Subject = { queries, call in
        [Claim(try queries.run(RunID(text(call, ["run_id", "run_uuid"]) ?? "")))]
    }

    /// A run, and the model that a metric of it is of.
    static let loggedMetric: Subject = { queries, call in
        let named = text(call, ["model_id"]).map { LoggedModelID($0) }
        return try run(queries, call)
            + (named.map { [Claim(try queries.loggedModel($0), .read)] } ?? [])
    }

    /// A run, and the models that it takes or makes.
    static let runOfModels: Subject = { queries, call in
        try run(queries, call)
            + call.fields.objects("models").map {
                Claim(
                    try queries.loggedModel(LoggedModelID(try $0.optionalString("model_id") ?? "")),
                    .read)
            }
    }

    /// A logged model's experiment, and the run that it names as its own: a version of it opens the run.
    static let newLoggedModel: Subject = { queries, call in
        let source = try call.fields.optionalString("source_run_id") ?? ""
        let claims = try experiment(queries, call)
        return source.isEmpty
            ? claims : claims + [Claim(try queries.run(RunID(source)), .read)]
    }

    static let runs: Subject = { queries, call in
        let ids = try call.fields.strings("run_id") + call.fields.strings("run_ids")
        return try ids.map { Claim(try queries.run(RunID($0))) }
    }

    static let loggedModel: Subject = { queries, call in
        [Claim(try queries.loggedModel(LoggedModelID(call.parameter("model"))))]
    }

    /// Clients note on a logged model which versions were made of it, whoever logged it.
    static let loggedModelTags: Subject = { queries, call in
        let thing = try queries.loggedModel(LoggedModelID(call.parameter("model")))
        let keys = try call.fields.objects("tags").map { try $0.optionalString("key") }
        return [Claim(thing, keys == ["mlflow.modelVersions"] ? .begin : nil)]
    }

    // MARK: Registry

    static let model: Subject = { queries, call in
        [Claim(try queries.model(text(call, ["name"]) ?? ""))]
    }

    static let renamedModel: Subject = { queries, call in
        [
            Claim(try queries.model(text(call, ["name"]) ?? "")),
            Claim(try queries.model(text(call, ["new_name"]) ?? ""), .register),
        ]
    }

    static let version: Subject = { queries, call in
        guard let version = try? RegistryFields.version(call.fields) else {
            return [Claim(try queries.model(text(call, ["name"]) ?? ""))]
        }
        return [Claim(try queries.version(text(call, ["name"]) ?? "", version))]
    }

    /// A new version, and what it is made of.
    static let newVersion: Subject = { queries, call in
        var claims = [Claim(try queries.model(text(call, ["name"]) ?? ""))]
        if let source = text(call, ["source"]) {
            claims.append(Claim(try queries.source(source), .read))
        }
        if let run = text(call, ["run_id"]) {
            claims.append(Claim(try queries.run(RunID(run)), .read))
        }
        if let model = text(call, ["model_id"]) {
            claims.append(Claim(try queries.loggedModel(LoggedModelID(model)), .read))
        }
        return claims
    }

    // MARK: Traces

    static let trace: Subject = { queries, call in
        let id = call.parameter("trace")
        let named = text(call, ["trace_id", "request_id"]) ?? ""
        return [Claim(try queries.trace(TraceID(id.isEmpty ? named : id)))]
    }

    static let traces: Subject = { queries, call in
        try call.fields.strings("trace_ids").map { Claim(try queries.trace(TraceID($0))) }
    }

    /// A trace begun in an experiment; one of that name must be the caller's.
    static let newTrace: Subject = { queries, call in
        guard let info = try call.fields.object("trace")?.object("trace_info") else { return [] }
        let id = try info.optionalString("trace_id") ?? ""
        return [
            Claim(try queries.experiment(try TraceFields.experiment(info))),
            Claim(try queries.trace(TraceID(id)), .record),
        ]
    }

    static let traceLocations: Subject = { queries, call in
        try call.fields.objects("locations").map {
            Claim(try queries.experiment(try TraceFields.searched(inLocation: $0)))
        }
    }

    static let deletedTraces: Subject = { queries, call in
        let ids = try call.fields.strings("request_ids") + call.fields.strings("trace_ids")
        // By their age is everybody's.
        guard !ids.isEmpty else { return [Claim(.platform)] }
        return try ids.map { Claim(try queries.trace(TraceID($0))) }
    }

    static let linkedTraces: Subject = { queries, call in
        try run(queries, call) + traces(queries, call)
    }
}
