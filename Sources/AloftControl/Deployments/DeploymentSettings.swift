import AloftDomain
import AloftProjectFile
import AloftStore
import GRDB

/// What the project files say of a deployment and its model.
struct DeploymentSettings: Sendable {
    var project: ProjectID
    var policy: RolloutPolicy
    /// What a version must pass to enter the environment.
    var checks: [CheckExpression]
    /// What it must have passed in staging before it enters production.
    var stagingChecks: [CheckExpression]

    /// - Parameter modelProject: where the model is, for a deployment that no file names.
    /// - Throws: `DeploymentError.otherModel` if a project file gives the deployment another model.
    static func read(
        _ db: Database, deployment: String, environment: String, model: String,
        modelProject: ProjectID
    ) throws -> DeploymentSettings {
        let files = try ProjectFileQueries.projects(db).compactMap { project in
            try ProjectFileQueries.current(db, project).map { try ProjectFileParser.parse($0.text) }
        }
        let named = files.first { $0.deployment(named: deployment) != nil }
        let definition = named?.deployment(named: deployment)
        if let definition, definition.model != model {
            throw DeploymentError.otherModel(
                deployment: deployment, expected: definition.model, asked: model)
        }
        let owner = named ?? files.first { $0.model(named: model) != nil }
        let rules = owner?.model(named: model)
        return DeploymentSettings(
            project: owner?.project ?? modelProject,
            policy: policy(definition, environment: environment),
            checks: rules?.checks(for: environment) ?? [],
            stagingChecks: environment == EndpointName.production
                ? rules?.checks(for: EndpointName.staging) ?? [] : [])
    }

    /// In staging and as a shadow a version is tried, with nobody's traffic to protect: it gets all
    /// of it at once.
    private static func policy(
        _ definition: DeploymentDefinition?, environment: String
    ) -> RolloutPolicy {
        if environment == EndpointName.staging || environment == EndpointName.shadow {
            return .atOnce
        }
        guard let definition else { return .standard }
        return definition.rollout.map(RolloutPolicy.init) ?? .atOnce
    }
}
