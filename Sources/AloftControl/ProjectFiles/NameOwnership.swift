package import AloftDomain
import AloftProjectFile
package import AloftStore
package import Foundation

/// Names that all projects share belong to the project that had them first: deployments, and models
/// with their checks. `docs/adr/0020-signatures-and-names-are-promises.md`. Of use within one transaction.
package struct NameOwnership {
    private let db: Transaction
    /// Read once, where a name has no owner in the tables.
    private var files: [ProjectFile]?

    package init(_ db: Transaction) { self.db = db }

    /// Whose a name is; `nil` where it is nobody's. A model that a client registered under no project
    /// is nobody's until a project file speaks of it.
    package mutating func owner(_ kind: NameOwner.Kind, _ name: String) throws -> NameOwner? {
        if let found = try NameOwnerQueries.find(db, kind, name) { return found }
        if kind == .model, let project = try NameOwnerQueries.project(ofModel: name, db),
            project != .default
        {
            return NameOwner(kind: kind, name: name, project: project)
        }
        // Files from before names had owners.
        let files = try filesByAge()
        let named = files.first { file in
            kind == .deployment
                ? file.deployment(named: name) != nil : file.model(named: name) != nil
        }
        let serving =
            kind == .model ? files.first { $0.deployments.contains { $0.model == name } } : nil
        return (named ?? serving).map { NameOwner(kind: kind, name: name, project: $0.project) }
    }

    /// What a project's current file says; `nil` where it has none.
    func file(of project: ProjectID) throws -> ProjectFile? {
        try ProjectFileQueries.current(db, project).map { try ProjectFileParser.parse($0.text) }
    }

    /// The project whose file is oldest first. A file that an older program took and this one no
    /// longer reads says nothing.
    private mutating func filesByAge() throws -> [ProjectFile] {
        if let files { return files }
        let found = try ProjectFileQueries.projectsByAge(db).compactMap { try? file(of: $0) }
        files = found
        return found
    }

    /// Gives `file`'s project the names that it speaks of, and lets go of those that it no longer
    /// does. Call it in the transaction that applies the file, before it.
    ///
    /// - Throws: `NamesOfOthers` where one is another project's and `takeOver` does not say that it
    ///   is to change hands.
    package mutating func claim(
        for file: ProjectFile, takeOver: Bool, at moment: Date, by who: Principal
    ) throws {
        // A model without checks may be named for what it is used for, whoever has it. But who takes over
        // takes what the file names.
        let named =
            file.deployments.map { (NameOwner.Kind.deployment, $0.name) }
            + file.models.filter { takeOver || !$0.checks.isEmpty }.map {
                (NameOwner.Kind.model, $0.name)
            }
        var others: [NameOwner] = []
        for (kind, name) in named {
            if let owner = try owner(kind, name), owner.project != file.project {
                others.append(owner)
            } else {
                try NameOwnerQueries.claim(db, kind, name, for: file.project, at: moment, by: who)
            }
        }
        guard others.isEmpty || takeOver else {
            throw NamesOfOthers(project: file.project, owners: others)
        }
        for owner in others {
            try NameOwnerQueries.takeOver(db, owner, for: file.project, at: moment, by: who)
        }
        // Who is first to name a model that is nobody's says what it must pass, also if that is nothing.
        for model in Set(file.models.map(\.name) + file.deployments.map(\.model)).sorted()
        where try owner(.model, model) == nil {
            try NameOwnerQueries.claim(db, .model, model, for: file.project, at: moment, by: who)
        }
        try release(after: file, at: moment, by: who)
    }

    private func release(after file: ProjectFile, at moment: Date, by who: Principal) throws {
        for owner in try NameOwnerQueries.list(db, of: file.project) {
            let isNamed =
                switch owner.kind {
                case .deployment: file.deployment(named: owner.name) != nil
                case .model:
                    file.model(named: owner.name) != nil
                        || file.deployments.contains { $0.model == owner.name }
                }
            if !isNamed, try !NameOwnerQueries.isInUse(db, owner) {
                if owner.kind == .deployment {
                    // Nobody inherits what this project said of the name.
                    try TrafficQueries.change(
                        db, project: owner.project, deployment: owner.name,
                        environment: EndpointName.production, at: moment, by: who
                    ) { $0 = TrafficRules() }
                }
                try NameOwnerQueries.release(db, owner)
            }
        }
    }
}
