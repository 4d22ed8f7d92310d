package import AloftControl
package import AloftDomain
import AloftProjectFile
package import AloftStore
import AloftWire

/// Project files.
package struct ProjectFileRoutes: Sendable {
    private let store: Store
    private let time: TimeSource
    private let hasBlob: @Sendable (ContentDigest) -> Bool
    private let sealer: @Sendable () throws -> VariableSealer

    package init(
        store: Store, time: TimeSource, sealer: @escaping @Sendable () throws -> VariableSealer,
        hasBlob: @escaping @Sendable (ContentDigest) -> Bool
    ) {
        self.sealer = sealer
        self.store = store
        self.time = time
        self.hasBlob = hasBlob
    }

    package func add(to routes: inout APIRoutes) {
        routes.on(ApplyProjectFile.self) { call in
            return try await apply(call.body, by: call.principal)
        }
        routes.on(ListProjectFiles.self) { _ in
            .init(projects: try await store.read { try ProjectFileQueries.projects($0) })
        }
        routes.on(GetProjectFile.self) { call in
            let project = ProjectID(call.parameter("project"))
            guard let file = try await store.read({ try ProjectFileQueries.current($0, project) })
            else { throw JobError.noProjectFile(project: project) }
            return .init(
                project: file.project, revision: file.revision,
                text: VariableSealer.masked(file.text),
                snapshot: file.snapshot, appliedAt: file.appliedAt, appliedBy: file.appliedBy)
        }
    }

    private func apply(
        _ body: ApplyProjectFile.Body, by principal: Principal
    ) async throws -> ApplyProjectFile.Reply {
        let name = String((body.file ?? "aloft.yaml").prefix(200))
        let sent = try ProjectFileParser.parse(body.text, file: name)
        // As it is stored: values of secret variables stand there sealed.
        let isPlain = sent.jobs.allSatisfy { $0.secretNames.isEmpty }
        let text = isPlain ? body.text : try sealer().sealed(body.text, of: sent)
        let file = isPlain ? sent : try ProjectFileParser.parse(text, file: name)
        if let snapshot = body.snapshot, !hasBlob(snapshot) {
            throw JobError.unknownSnapshot(snapshot)
        }
        let now = time.now()
        let snapshot = body.snapshot
        let (code, takeOver) = (body.code, body.takeOver ?? false)
        if let code {
            guard code.isPlausible else {
                throw JobError.invalidSpec(["code is no commit of git: \(code.commit.prefix(80))"])
            }
            if let diff = code.diff, !hasBlob(diff) { throw JobError.unknownSnapshot(diff) }
        }
        let (before, applied, isNew) = try await store.write { db in
            let before = try ProjectFileQueries.current(db, file.project)
            let old = before.flatMap { try? ProjectFileParser.parse($0.text) }
            var names = NameOwnership(db)
            try names.claim(for: file, takeOver: takeOver, at: now, by: principal)
            let (record, isNew) = try ProjectFileQueries.apply(
                db, project: file.project, text: text, snapshot: snapshot, code: code, at: now,
                by: principal)
            try TrafficService.apply(
                db, file: file, before: old, at: now, by: principal)
            return (before, record, isNew)
        }
        // An older program may have taken what this one no longer reads: then all counts as new.
        let old = before.flatMap { try? ProjectFileParser.parse($0.text) }
        var changes = isNew ? file.changes(from: old) : []
        if isNew, let before, before.snapshot != snapshot { changes.append("~ code") }
        return .init(
            project: file.project, revision: applied.revision, isNew: isNew, changes: changes,
            warnings: file.unactedParts)
    }
}
