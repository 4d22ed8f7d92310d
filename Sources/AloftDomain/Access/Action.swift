/// What a request does, as far as permission goes. Every endpoint and every route of the tracking
/// protocol declares one; `AccessRules` says who may do it to what.
package enum Action: String, CaseIterable, Sendable {
    /// Say who asks, what this server is and what it offers; sign in and out.
    case greet
    /// Change or look over the platform: tokens, jobs, sweeps, project files, deployments, traffic,
    /// predictions, imports, webhooks, space.
    case manage
    /// Read a thing of a project.
    case read
    /// Put something new into an experiment, or make one.
    case begin
    /// Write to what is there: metrics, tags, states, files.
    case record
    /// Delete, rename or restore.
    case discard
    /// Make a registered model, or a version of one.
    case register
    /// Say what a registered model is, and where its aliases and stages point.
    case steer
    /// Remove a whole folder of artifacts: a run's, or one above it.
    case clear
    /// Hand in the servable form of a version.
    case convert
    /// Read the servable form of a version.
    case fetch
    /// Follow what gateways are to serve, report on it, send what they logged.
    case follow

    /// As the end of "it may not …".
    package var phrase: String {
        switch self {
        case .greet: "ask who it is"
        case .manage: "look over or change the platform"
        case .read: "read this"
        case .begin: "begin something here"
        case .record: "write to this"
        case .discard: "delete or rename this"
        case .register: "register a model under this name"
        case .steer: "change this model, its aliases or its stages"
        case .clear: "remove a whole folder of artifacts"
        case .convert: "hand in the servable form of this version"
        case .fetch: "fetch this"
        case .follow: "do what gateways do"
        }
    }
}
