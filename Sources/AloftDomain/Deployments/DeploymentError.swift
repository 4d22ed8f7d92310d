/// What is refused about deployments.
package enum DeploymentError: Refusal, Equatable {
    case notFound(deployment: String, environment: String?, known: [String])
    case revisionNotFound(deployment: String, number: Int)
    case invalidName(String)
    case invalidEnvironment(String)
    case invalidReference(String)
    case invalidAction(String)
    case modelNotFound(model: String, known: [String])
    case versionNotFound(ModelVersionKey)
    case aliasNotFound(model: String, alias: String)
    case otherModel(deployment: String, expected: String, asked: String)
    case otherProject(deployment: String, project: ProjectID)
    case stagingNotPassed(deployment: String, version: ModelVersionKey, missing: [String])
    case conversionFailed(ModelVersionKey, reason: String)
    case nothingToRollBackTo(deployment: String, environment: String)
    case noRollout(deployment: String, environment: String)
    case notAllowed(what: String, state: String)
    case blobMissing(ContentDigest)
    case invalidServable(reason: String)
    case invalidSplit(Double)
    case invalidSample(Int)
    case nothingToCompareWith(deployment: String, environment: String)
    case tooManyGateways(GatewayID, most: Int)

    package var code: String {
        switch self {
        case .notFound: "deployment_not_found"
        case .revisionNotFound: "revision_not_found"
        case .invalidName: "deployment_name_invalid"
        case .invalidEnvironment: "environment_invalid"
        case .invalidReference: "model_reference_invalid"
        case .invalidAction: "rollout_action_invalid"
        case .modelNotFound: "model_not_found"
        case .versionNotFound: "model_version_not_found"
        case .aliasNotFound: "model_alias_not_found"
        case .otherModel: "deployment_of_other_model"
        case .otherProject: "deployment_of_other_project"
        case .stagingNotPassed: "staging_not_passed"
        case .conversionFailed: "conversion_failed"
        case .nothingToRollBackTo: "nothing_to_roll_back_to"
        case .noRollout: "no_rollout"
        case .notAllowed: "not_allowed_now"
        case .blobMissing: "blob_not_found"
        case .invalidServable: "servable_invalid"
        case .invalidSplit: "split_invalid"
        case .invalidSample: "sample_invalid"
        case .nothingToCompareWith: "nothing_to_compare_with"
        case .tooManyGateways: "too_many_gateways"
        }
    }

    package var kind: RefusalKind {
        switch self {
        case .notFound, .revisionNotFound, .modelNotFound, .versionNotFound, .aliasNotFound:
            .notFound
        case .invalidName, .invalidEnvironment, .invalidReference, .invalidAction, .blobMissing,
            .invalidServable, .invalidSplit, .invalidSample:
            .invalid
        case .stagingNotPassed: .checkFailed
        case .otherModel, .otherProject, .conversionFailed, .nothingToRollBackTo, .noRollout,
            .notAllowed, .nothingToCompareWith:
            .conflict
        case .tooManyGateways: .exhausted
        }
    }

    package var message: String {
        switch self {
        case .notFound(let deployment, let environment, let known):
            "there is no deployment \(deployment)" + (environment.map { " in \($0)" } ?? "")
                + Self.suggestion(deployment, among: known)
        case .revisionNotFound(let deployment, let number):
            "\(deployment) has no revision \(number)"
        case .invalidName(let name):
            "\(name.prefix(100)): a deployment's name has 1 to 63 letters, digits, hyphens or "
                + "underscores and begins with a letter or digit"
        case .invalidEnvironment(let name):
            "\(name.prefix(100)): an environment's name has 1 to 63 lower-case letters, digits or "
                + "hyphens, as in staging and production"
        case .invalidReference(let text):
            "\(text.prefix(200)): expected NAME@ALIAS or NAME/VERSION, as in "
                + "flight-delay@champion or flight-delay/3"
        case .invalidAction(let text):
            "\(text.prefix(100)): expected promote, pause, resume or abort"
        case .modelNotFound(let model, let known):
            "there is no registered model \(model)" + Self.suggestion(model, among: known)
        case .versionNotFound(let key): "\(key.model) has no version \(key.version)"
        case .aliasNotFound(let model, let alias): "\(model) has no alias \(alias)"
        case .otherModel(let deployment, let expected, let asked):
            "the project file says that \(deployment) serves \(expected), not \(asked)"
        case .otherProject(let deployment, let project):
            "a deployment \(deployment) exists in the project \(project); take another name, or move it "
                + "to the project whose file names it: aloft apply --take-over"
        case .stagingNotPassed(let deployment, let version, let missing):
            "\(version) may not enter production: it has not passed staging's "
                + missing.map { "`\($0)`" }.joined(separator: ", ")
                + ". Deploy it there first: aloft deploy \(deployment) --model \(version) "
                + "--environment staging --wait"
        case .conversionFailed(let key, let reason):
            "\(key) cannot be served: \(reason)"
        case .nothingToRollBackTo(let deployment, let environment):
            "\(deployment) has no earlier revision in \(environment) to go back to"
        case .noRollout(let deployment, let environment):
            "no rollout of \(deployment) is under way in \(environment)"
        case .notAllowed(let what, let state): "\(what) is not possible: it is \(state)"
        case .blobMissing(let digest): "there is no blob \(digest); upload it first"
        case .invalidServable(let reason): reason
        case .invalidSplit(let percent):
            "\(percent)%: an experiment's split lies between 0% and 100%"
        case .invalidSample(let count):
            "\(count): a step waits for 0 to 1000000000 requests"
        case .nothingToCompareWith(let deployment, let environment):
            "no revision of \(deployment) is live in \(environment) to compare with; deploy one first"
        case .tooManyGateways(let gateway, let most):
            "\(gateway) is a new gateway, and \(most) are known already; a gateway keeps its name in its "
                + "data folder: let it keep the folder"
        }
    }

    private static func suggestion(_ name: String, among known: [String]) -> String {
        if let nearest = nearest(to: name, among: known) { return "; did you mean \(nearest)?" }
        guard !known.isEmpty else { return "" }
        return "; there is " + known.sorted().prefix(20).joined(separator: ", ")
    }
}
