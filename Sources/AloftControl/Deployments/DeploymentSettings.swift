import AloftDomain
import AloftStore

/// What the project files say of a deployment and its model: of the deployment that of the project
/// whose it is, of the model's checks that of the model's own project.
struct DeploymentSettings: Sendable {
    var project: ProjectID
    var policy: RolloutPolicy
    /// The share of answers in the prediction log.
    var logSampling: Double
    /// What a version must pass to enter the environment.
    var checks: [CheckExpression]
    /// What it must have passed in staging before it enters production.
    var stagingChecks: [CheckExpression]

    /// - Parameter modelProject: where the model is, for a deployment that no file names.
    /// - Throws: `DeploymentError.otherModel` if a project file gives the deployment another model.
    static func read(
        _ db: Transaction, deployment: String, environment: String, model: String,
        modelProject: ProjectID
    ) throws -> DeploymentSettings {
        var names = NameOwnership(db)
        let named = try names.owner(.deployment, deployment)?.project
        let definition = try named.flatMap { try names.file(of: $0) }?.deployment(named: deployment)
        if let definition, definition.model != model {
            throw DeploymentError.otherModel(
                deployment: deployment, expected: definition.model, asked: model)
        }
        let modelOwner = try names.owner(.model, model)?.project ?? modelProject
        let rules = try names.file(of: modelOwner)?.model(named: model)
        return DeploymentSettings(
            project: named ?? modelOwner,
            policy: policy(definition, environment: environment),
            logSampling: definition?.logSampling ?? 1,
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
            var tried = RolloutPolicy.atOnce
            tried.isBreaking = true
            return tried
        }
        guard let definition else { return .standard }
        var policy = definition.rollout.map(RolloutPolicy.init) ?? .atOnce
        policy.isBreaking = definition.breaking
        return policy
    }
}
