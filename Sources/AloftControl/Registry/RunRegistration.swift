import AloftDomain
import AloftStore
import Foundation

/// Makes the newest model that a run logged a version of a registered model.
struct RunRegistration: Sendable {
    private let model: String
    private let run: RunID
    private let project: ProjectID
    /// What is written on the version beside its source: where it came from.
    private let tags: [NamedText]

    init(model: String, run: RunID, project: ProjectID, tags: [NamedText]) {
        self.model = model
        self.run = run
        self.project = project
        self.tags = tags + [NamedText(key: "aloft.project", value: project.rawValue)]
    }

    /// Why nothing is registered under the model's name, as a sentence: another project has it since the
    /// work that was to be registered was ordered.
    func refusal(_ db: Transaction, orderedAt moment: Date) throws -> String? {
        try NameOwnerQueries.newHolder(ofModel: model, after: moment, otherThan: project, db).map {
            "the model \(model) is the project \($0.project)'s since this was started, so nothing was "
                + "registered; register the run's model under a name of \(project)"
        }
    }

    /// The run's version of this model, made if there is none yet. A second call finds the first's.
    ///
    /// - Returns: `nil` if the run logged no model that is ready.
    func apply(
        _ db: Transaction, by who: Principal, at now: Date
    ) throws -> RegisteredVersion? {
        if let known = try RegistryQueries.version(db, model, of: run) {
            return RegisteredVersion(model: model, version: known.version)
        }
        let ready = try LoggedModelQueries.list(db, of: run).filter { $0.status == .ready }
        let newest = ready.max { ($0.createdAt, $0.number) < ($1.createdAt, $1.number) }
        guard let newest else { return nil }
        try RegistryQueries.ensureModel(db, name: model, project: project, who: who, at: now)
        let version = try RegistryQueries.createVersion(
            db,
            NewModelVersion(
                name: model, source: "models:/\(newest.id)", run: run, loggedModel: newest.id,
                tags: tags), who: who, at: now)
        return RegisteredVersion(model: model, version: version.version)
    }
}
