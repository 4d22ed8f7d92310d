/// Which project a name that all projects share belongs to: a deployment's, or that of a model with its
/// checks.
package struct NameOwner: Sendable, Hashable {
    package enum Kind: String, Sendable, CaseIterable { case deployment, model }

    package var kind: Kind
    package var name: String
    package var project: ProjectID
    /// Since when and by whom, as stored; `nil` where only its project file says so.
    package var since: String?
    package var takenBy: String?

    package init(
        kind: Kind, name: String, project: ProjectID, since: String? = nil, takenBy: String? = nil
    ) {
        self.kind = kind
        self.name = name
        self.project = project
        self.since = since
        self.takenBy = takenBy
    }
}

/// A project file names what is another project's.
package struct NamesOfOthers: Refusal, Equatable {
    package let project: ProjectID
    /// Not empty.
    package let owners: [NameOwner]

    package init(project: ProjectID, owners: [NameOwner]) {
        self.project = project
        self.owners = owners
    }

    package var code: String { "names_of_other_project" }
    package var kind: RefusalKind { .conflict }

    package var message: String {
        let shown = owners.prefix(20).map { owner in
            var text = "\(owner.kind.rawValue) \(owner.name) is the project \(owner.project)'s"
            if let since = owner.since {
                text += ", since \(since.prefix(10))"
                if let by = owner.takenBy { text += " by \(by)" }
            }
            return text
        }
        let more = owners.count > 20 ? "; and \(owners.count - 20) more" : ""
        return "nothing was applied: the file of \(project) names what belongs to another project: "
            + shown.joined(separator: "; ") + more
            + ". Take other names, or make them \(project)'s own: aloft apply --take-over"
    }
}
