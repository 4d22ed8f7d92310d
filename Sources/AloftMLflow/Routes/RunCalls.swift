import AloftDomain
import AloftStore
import Hummingbird

/// Creating, reading, changing and searching runs.
struct RunCalls: Sendable {
    let service: MLflowService

    func add<Context>(to calls: CallRouter<Context>) {
        calls.post("runs/create", .begin, of: Subjects.experiment, create)
        calls.get("runs/get", .read, of: Subjects.run, get)
        calls.post("runs/update", .record, of: Subjects.run, update)
        calls.post("runs/delete", .discard, of: Subjects.run, delete)
        calls.post("runs/restore", .discard, of: Subjects.run, restore)
        calls.postSearch("runs/search", .read, of: Subjects.experiments, search)
    }

    nonisolated(nonsending) private func create(_ call: Call) async throws -> [UInt8] {
        let fields = call.fields
        let experiment =
            try fields.has("experiment_id")
            ? FieldReader.experimentID(fields) : ExperimentID("0")
        let tags = try FieldReader.newTags(fields, "tags")
        let startTime = try fields.optionalInt("start_time") ?? 0
        let user = try fields.optionalString("user_id") ?? ""
        let name = try runName(fields, tags)
        let new = NewRun(
            id: service.chance.identifier(at: service.time.now()), experiment: experiment,
            name: name, user: user,
            startTime: startTime, tags: tags)
        let who = call.principal
        let run = try await service.change(new.id) { db in
            try AccessQueries.note(db, who, made: .run, new.id.rawValue)
            var new = new
            if let person = try PersonQueries.name(db, who) { new.setUser(person) }
            return try TrackingQueries.createdRun(db, new)
        }
        return Self.document(run)
    }

    private func runName(_ fields: Fields, _ tags: [NamedText]) throws -> String {
        let given = try FieldReader.text(fields, "run_name")
        let tagged = tags.last { $0.key == TrackingQueries.nameKey }?.value
        if let given, let tagged, !tagged.isEmpty, !given.isSame(as: tagged) {
            throw ProtocolError.invalid(
                "Both 'run_name' argument and 'mlflow.runName' tag are specified, but with different "
                    + "values (run_name='\(given.prefix(200))', mlflow.runName='\(tagged.prefix(200))')."
            )
        }
        if let given { return ValueRules.cut(given, to: ValueRules.maxTagValue) }
        if let tagged, !tagged.isEmpty { return tagged }
        return RandomName.make(service.chance)
    }

    private func get(_ call: Call) async throws -> [UInt8] {
        let id = try FieldReader.runID(call.fields)
        try await followScript(id, call.principal)
        let run = try await service.store.read { try TrackingQueries.run($0, id) }
        guard let run else { throw TrackingError.runNotFound(id.rawValue) }
        return Self.document(run)
    }

    /// Moves a job's own run to the experiment that its script set; see `ChosenExperiments`.
    private func followScript(_ id: RunID, _ principal: Principal) async throws {
        guard case .job(let job) = principal, let experiment = service.chosen.of(job) else {
            return
        }
        let moved = try await service.store.write { db in
            try JobRuns.move(db, id, of: job, to: experiment)
        }
        guard moved else { return }
        service.chosen.forget(job)
        service.store.changed(.run, id.rawValue)
        service.store.changed(.experiment, experiment.rawValue)
    }

    private static func document(_ run: RunRecord) -> [UInt8] {
        JSONWriter.document { writer in
            writer.object("run") { $0.runMembers(run) }
        }
    }

    nonisolated(nonsending) private func update(_ call: Call) async throws -> [UInt8] {
        let id = try FieldReader.runID(call.fields)
        let status = try FieldReader.runStatus(call.fields)
        let endTime = try call.fields.optionalInt("end_time")
        let name = try FieldReader.text(call.fields, "run_name").map {
            ValueRules.cut($0, to: ValueRules.maxTagValue)
        }
        let (who, at) = (call.principal, service.time.now())
        let info = try await service.change(id) { db in
            let run = try TrackingQueries.activeRun(db, id)
            let before = try name.flatMap { _ in try TrackingQueries.runInfo(db, id)?.name }
            if let name, let before, !before.isSame(as: name) {
                try AuditLog(db, by: who, at: at).run(
                    id, "renamed", ["from": .string(before), "to": .string(name)])
            }
            try TrackingQueries.updateRun(db, run, status: status, endTime: endTime, name: name)
            return try TrackingQueries.runInfo(db, id)
        }
        guard let info else { throw TrackingError.runNotFound(id.rawValue) }
        return JSONWriter.document { $0.runInfo("run_info", info) }
    }

    private func delete(_ call: Call) async throws -> [UInt8] {
        let id = try FieldReader.runID(call.fields)
        let (who, at) = (call.principal, service.time.now())
        try await service.change(id) { db in
            let before = try TrackingQueries.runInfo(db, id)?.stage
            try TrackingQueries.deleteRun(db, id, at: at)
            if before == .active { try AuditLog(db, by: who, at: at).run(id, "deleted") }
        }
        return MLflowService.empty
    }

    private func restore(_ call: Call) async throws -> [UInt8] {
        let id = try FieldReader.runID(call.fields)
        let (who, at) = (call.principal, service.time.now())
        try await service.change(id) { db in
            let before = try TrackingQueries.runInfo(db, id)?.stage
            try TrackingQueries.restoreRun(db, id)
            if before == .deleted { try AuditLog(db, by: who, at: at).run(id, "restored") }
        }
        return MLflowService.empty
    }

    private func search(_ call: Call) async throws -> [UInt8] {
        let search = try Self.search(call.fields)
        service.chosen.wasSearched(call.principal, search.experiments)
        return try await Self.answer(search, service.store)
    }

    /// A page of a search; its token leads to the next.
    static func answer(_ search: RunSearch, _ store: Store) async throws -> [UInt8] {
        let limit = search.limit
        let (runs, hasMore) = try await store.search { db in
            let infos = try TrackingQueries.search(db, search)
            return (
                try TrackingQueries.fill(db, Array(infos.prefix(limit))), infos.count > limit
            )
        }
        return JSONWriter.document { writer in
            writer.list("runs", runs) { writer, run in writer.run(run) }
            writer.member(
                "next_page_token",
                hasMore ? runs.last.map { PageToken.make(search.position(of: $0)) } : nil)
        }
    }

    /// What is searched for, as `runs/search` names it.
    static func search(_ fields: Fields, defaultLimit: Int64 = 1000) throws -> RunSearch {
        let limit = try fields.maxResults(default: defaultLimit, limit: 50_000)
        let after = try PageToken.position(fields)
        let ids = try FieldReader.experimentIDs(fields)
        guard ids.count <= 10_000 else {
            throw ProtocolError.invalid("More than 10000 values of 'experiment_ids'.")
        }
        return RunSearch(
            experiments: ids, stage: try FieldReader.stage(fields, "run_view_type"),
            conditions: try RunSearchParser.conditions(fields.optionalString("filter")),
            orders: try RunSearchParser.orders(fields.strings("order_by")), limit: limit,
            after: after)
    }
}
