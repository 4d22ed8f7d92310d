package import AloftDomain

extension AccessQueries {
    /// A path in the artifact store.
    package struct Artifact: Sendable, Equatable {
        package var thing: Thing
        /// Whether it is below the folder of one run, logged model or trace, and not that itself.
        package var isInside: Bool
    }

    /// Whose a path is: that of the run, logged model or trace whose folder it is in, else that of the
    /// experiment whose number it begins with.
    package func artifact(_ parts: [String]) throws -> Artifact {
        for part in parts {
            guard let (thing, root) = try owner(part), !root.isEmpty, parts.starts(with: root)
            else { continue }
            return Artifact(
                thing: try lettingGo(of: thing, part, parts), isInside: parts.count > root.count)
        }
        guard let first = parts.first else { return Artifact(thing: .platform, isInside: false) }
        var thing = try experiment(ExperimentID(first))
        switch thing {
        case .item(let project, _): thing = .item(project: project, .none)
        case .platform, .missing, .new, .ownProject, .model, .servable: thing = .platform
        }
        return Artifact(thing: thing, isInside: false)
    }

    /// The thing of this identifier with the components of its folder.
    private func owner(_ id: String) throws -> (thing: Thing, root: [String])? {
        if Self.isDigits(id) {
            guard let info = try TrackingQueries.runInfo(db, RunID(id)) else { return nil }
            return (try run(RunID(id)), Self.parts(of: info.artifactURI))
        }
        if id.begins(with: "m-"), Self.isDigits(id.dropFirst(2)) {
            let uri = try db.value(
                of: String.self, sql: "SELECT artifactUri FROM loggedModel WHERE id = ?",
                arguments: [id])
            return try uri.map { (try loggedModel(LoggedModelID(id)), Self.parts(of: $0)) }
        }
        if id.begins(with: "tr-") {
            let location = try db.value(
                of: String.self,
                sql: """
                    SELECT e.artifactLocation FROM trace t
                    JOIN experiment e ON e.number = t.experiment WHERE t.id = ?
                    """, arguments: [id])
            return try location.map {
                (try trace(TraceID(id)), Self.parts(of: $0 + "/traces/\(id)/artifacts"))
            }
        }
        return nil
    }

    /// A path in a run, without the run's hold on it where it is, holds or is in the files of a version that
    /// is another project's now.
    private func lettingGo(of thing: Thing, _ run: String, _ parts: [String]) throws -> Thing {
        guard case .item(let project, let hold) = thing, hold != .none, Self.isDigits(run) else {
            return thing
        }
        let versions = try db.rows(
            sql: """
                SELECT m.name, v.version FROM modelVersion v JOIN registeredModel m ON m.number = v.model
                WHERE v.runId = :run OR \(Dialect.contains("v.source", ":run"))
                """, arguments: ["run": run])
        for row in versions where try isOthers(model: row["name"]) {
            let key = try ModelVersionKey(model: row["name"], version: row["version"])
            guard let facts = try VersionFactsQueries.find(db, key),
                let place = try VersionFactsQueries.artifactURI(db, facts)
            else { continue }
            let root = Self.parts(of: place)
            if !root.isEmpty, parts.starts(with: root) || root.starts(with: parts) {
                return .item(project: project, .none)
            }
        }
        return thing
    }

    private static func isDigits(_ text: some StringProtocol) -> Bool {
        text.utf8.count == 32
            && text.utf8.allSatisfy { (48...57).contains($0) || (97...102).contains($0) }
    }

    /// Empty where the files are not kept by this server.
    private static func parts(of uri: String) -> [String] {
        guard uri.begins(with: "mlflow-artifacts:") else { return [] }
        var rest = uri.dropFirst("mlflow-artifacts:".count)
        if rest.begins(with: "//") { rest = rest.dropFirst(2).drop { $0 != "/" } }
        return rest.utf8.split(separator: UInt8(ascii: "/")).map { String(Substring($0)) }
    }

    // MARK: Jobs and servables

    /// The job that a person's text means.
    package func job(_ text: String) throws -> Thing {
        do {
            let found = try JobQueries.resolve(db, text)
            return .item(project: found.spec.project, found.id == job ? .assigned : .none)
        } catch JobError.notFound {
            return .missing
        } catch JobError.ambiguous {
            // Which others there are is not for everybody.
            return .missing
        }
    }

    package func sweep(_ prefix: String) throws -> Thing {
        do {
            return .item(project: try SweepQueries.get(db, prefix: prefix).project, .none)
        } catch let refusal as any Refusal
            where refusal.kind == .notFound || refusal.kind == .invalid
        {
            return .missing
        }
    }

    /// The servable form of a version.
    package func servable(_ version: ModelVersionKey) throws -> Thing {
        guard let facts = try VersionFactsQueries.find(db, version),
            let holder = try NameOwnerQueries.holder(ofModel: version.model, db)
        else { return .missing }
        return .servable(project: holder, isMine: try isConversion(of: facts))
    }

    /// Whether the job converts just this version, and not one that had its name and number before, nor
    /// one whose model another project took over.
    private func isConversion(of facts: VersionFacts) throws -> Bool {
        guard let servable = try ServableQueries.find(db, facts.key) else { return false }
        return servable.job == job && servable.versionStamp == facts.stamp
            && facts.project == project
    }

    /// Whether the job converts anything, and so may send a blob.
    package func conversion() throws -> Thing {
        let versions = try db.rows(
            sql: "SELECT model, version FROM servable WHERE job = ?", arguments: [job.rawValue])
        let isMine = try versions.contains { row in
            let key = try ModelVersionKey(model: row["model"], version: row["version"])
            return try VersionFactsQueries.find(db, key).map(isConversion) ?? false
        }
        return .servable(project: project, isMine: isMine)
    }

    /// A blob: the servable form of versions, also of one that a revision still serves, or something
    /// that only people fetch.
    package func blob(_ digest: ContentDigest) throws -> Thing {
        let owners = try db.values(
            of: String.self,
            sql: """
                SELECT coalesce(o.project, m.project) FROM servable s
                JOIN registeredModel m ON m.name = s.model
                LEFT JOIN nameOwner o ON o.kind = 'model' AND o.name = m.name
                WHERE s.digest = ?
                UNION SELECT d.project FROM revision r JOIN deployment d ON d.id = r.deployment
                WHERE r.servable \(Dialect.isLike) ?
                """, arguments: [digest.hex, "%\"\(digest.hex)\"%"])
        guard let any = owners.first(where: { $0 == project.rawValue }) ?? owners.first else {
            return .platform
        }
        return .servable(project: ProjectID(any), isMine: false)
    }
}
