import AloftTestKit
import Foundation
import Testing

@testable import AloftControl
@testable import AloftDomain
@testable import AloftProjectFile
@testable import AloftStore

/// Deployments, and models with their checks, belong to the project that named them first.
struct NameOwnershipTests {
    private static let owners = """
        project: credit
        models: { m: { checks: { staging: ["auc >= 0.6"], production: ["auc >= 0.65"] } } }
        deployments: { d: { model: m } }
        """

    private func apply(
        _ world: DeploymentWorld, _ text: String, takeOver: Bool = false
    ) async throws {
        let file = try ProjectFileParser.parse(text)
        let now = world.time.now
        try await world.store.write { db in
            let before = try ProjectFileQueries.current(db, file.project).map {
                try ProjectFileParser.parse($0.text)
            }
            var names = NameOwnership(db)
            try names.claim(
                for: file, takeOver: takeOver, at: now, by: .user(name: "zoe"))
            _ = try ProjectFileQueries.apply(
                db, project: file.project, text: text, snapshot: nil, at: now,
                by: .user(name: "zoe"))
            try TrafficService.apply(
                db, file: file, before: before, at: now, by: .user(name: "zoe"))
        }
    }

    private func owner(
        _ world: DeploymentWorld, _ kind: NameOwner.Kind, _ name: String
    ) async throws -> String? {
        try await world.store.read { db in
            var names = NameOwnership(db)
            return try names.owner(kind, name)?.project.rawValue
        }
    }

    @Test func `another project's file that names it is refused, and nothing is kept`() async throws
    {
        let world = try DeploymentWorld()
        try await apply(world, Self.owners)
        let other = """
            project: zzz
            models: { m: {} }
            deployments:
              d: { model: m, segments: { by: { field: Home }, tree: { rent: { deployment: z } } } }
              z: { model: m }
            """
        let error = await #expect(throws: NamesOfOthers.self) { try await apply(world, other) }
        #expect(error?.owners.map(\.name) == ["d"])
        #expect(error?.message.contains("deployment d is the project credit's") == true)
        #expect(error?.message.contains("--take-over") == true)
        let rules = try await world.store.read {
            try TrafficQueries.find($0, deployment: "d", environment: "production")
        }
        #expect(rules == nil)
        #expect(try await owner(world, .deployment, "z") == nil)
        let checking = "project: aaa\nmodels: { m: { checks: { staging: [\"auc >= 0.99\"] } } }"
        await #expect(throws: NamesOfOthers.self) { try await apply(world, checking) }
    }

    @Test func `checks come from the model's own project, whichever name is first`() async throws {
        let world = try DeploymentWorld()
        try await apply(world, Self.owners)
        // Names it for its own use, without a say in what it must pass.
        try await apply(
            world, "project: aaa\nmodels: { m: {} }\ndeployments: { mine: { model: m } }")
        let key = try await world.register(metrics: ["auc": 0.7])
        for deployment in ["mine", "nobodys"] {
            let revision = try await deploy(world, deployment, key, environment: "staging")
            #expect(revision.checks.map(\.source) == ["auc >= 0.6"])
            let error = await #expect(throws: DeploymentError.self) {
                try await deploy(world, deployment, key, environment: "production")
            }
            #expect(error?.code == "staging_not_passed")
        }
    }

    @discardableResult
    private func deploy(
        _ world: DeploymentWorld, _ deployment: String, _ key: ModelVersionKey,
        environment: String
    ) async throws -> RevisionRecord {
        let reference = try #require(ModelReference(key.description))
        return try await world.service.deploy(
            .init(deployment: deployment, environment: environment, model: reference),
            by: .user(name: "ann")
        ).revision
    }

    @Test func `a name is taken over on demand, with an event that says by whom`() async throws {
        let world = try DeploymentWorld()
        try await apply(world, Self.owners)
        try await deploy(world, "d", try await world.register(), environment: "staging")
        let file = Self.owners.replacingOccurrences(of: "project: credit", with: "project: zzz")
        try await apply(world, file, takeOver: true)
        #expect(try await owner(world, .deployment, "d") == "zzz")
        #expect(try await owner(world, .model, "m") == "zzz")
        let record = try await world.store.read {
            try DeploymentQueries.get($0, name: "d", environment: "staging")
        }
        #expect(record.project.rawValue == "zzz")
        let events = try await world.store.read {
            try EventLog.list($0, entity: "projectFile", entityID: "zzz", limit: 10)
        }
        let taken = events.filter { $0.what == "tookOver" }
        #expect(taken.count == 2 && taken.allSatisfy { $0.who == "user:zoe" })
        let lost = try await world.store.read {
            try EventLog.list($0, entity: "projectFile", entityID: "credit", limit: 10)
        }.filter { $0.what == "tookOver" }
        #expect(lost.count == 2 && lost.allSatisfy { $0.project.rawValue == "credit" })
        guard case .object(let told)? = lost.first?.payload else { return }
        #expect(told["from"] == .string("credit") && told["to"] == .string("zzz"))
        // Who had it is told, also where its file is what it was.
        await #expect(throws: NamesOfOthers.self) { try await apply(world, Self.owners) }
    }

    @Test func `a model without checks is taken over as well`() async throws {
        let world = try DeploymentWorld()
        try await apply(world, Self.owners)
        let file = "project: zzz\nmodels: { m: {} }"
        try await apply(world, file)
        #expect(try await owner(world, .model, "m") == "credit")
        try await apply(world, file, takeOver: true)
        #expect(try await owner(world, .model, "m") == "zzz")
    }

    @Test func `a conversion that was on its way is begun anew, and its job hands in nothing`()
        async throws
    {
        let world = try DeploymentWorld()
        try await apply(world, "project: credit\nmodels: { m: {} }")
        let key = try await world.register(isConverted: false)
        let now = world.time.now
        try await world.store.write { db in
            for id in ["convert", "other"] {
                let spec = JobSpec(project: ProjectID("credit"), name: "convert", command: "true")
                try JobQueries.insert(db, id: JobID(id), spec: spec, at: now, by: .local)
            }
            try db.execute(sql: "UPDATE registeredModel SET project = 'credit'")
            let facts = try #require(try VersionFactsQueries.find(db, key))
            try ServableQueries.insert(db, key, versionStamp: facts.stamp, at: now)
            try ServableQueries.apply(
                db, .jobCreated(JobID("convert")), to: key, at: now, by: .local)
        }
        func things(_ job: String) async throws -> [Thing] {
            try await world.store.read { db in
                let queries = AccessQueries(db, job: JobID(job), project: ProjectID("credit"))
                return [try queries.servable(key), try queries.conversion()]
            }
        }
        let isMine = { (mine: Bool) in
            [Thing](repeating: .servable(project: ProjectID("credit"), isMine: mine), count: 2)
        }
        #expect(try await things("convert") == isMine(true))
        #expect(try await things("other") == isMine(false))
        let file = "project: zzz\nmodels: { m: { checks: { staging: [\"auc >= 0.6\"] } } }"
        try await apply(world, file, takeOver: true)
        #expect(
            try await things("convert") == [
                .servable(project: ProjectID("zzz"), isMine: false),
                .servable(project: ProjectID("credit"), isMine: false),
            ])
        let state = try await world.store.read {
            try ServableQueries.find($0, key)?.lifecycle.state
        }
        #expect(state == .pending)
    }

    @Test func `what a project lost it no longer clears`() async throws {
        let world = try DeploymentWorld()
        let segments = """
            deployments:
              d: { model: m, segments: { by: { field: x }, tree: { y: { deployment: e } } } }
              e: { model: m }
            """
        try await apply(world, "project: credit\nmodels: { m: {} }\n" + segments)
        try await apply(world, "project: zzz\nmodels: { m: {} }\n" + segments, takeOver: true)
        try await apply(world, "project: credit\nmodels: { m: {} }")
        let rules = try await world.store.read {
            try TrafficQueries.find($0, deployment: "d", environment: "production")
        }
        #expect(rules?.rules.segments?.nodes.count == 1)
    }

    @Test func `a name that its project gave up is free, one with a deployment is not`()
        async throws
    {
        let world = try DeploymentWorld()
        try await apply(
            world, "project: credit\nmodels: { m: {} }\ndeployments: { d: { model: m } }")
        try await apply(world, "project: credit")
        #expect(try await owner(world, .deployment, "d") == nil)
        try await apply(world, "project: zzz\nmodels: { m: {} }\ndeployments: { d: { model: m } }")
        try await deploy(world, "d", try await world.register(), environment: "staging")
        try await apply(world, "project: zzz")
        #expect(try await owner(world, .deployment, "d") == "zzz")
    }

    @Test func `files from before names had owners count by their age`() async throws {
        let world = try DeploymentWorld()
        func keep(_ project: String, _ text: String) async throws {
            let now = world.time.now
            try await world.store.write { db in
                _ = try ProjectFileQueries.apply(
                    db, project: ProjectID(project), text: text, snapshot: nil, at: now,
                    by: .local)
            }
            world.time.advance(by: .seconds(1))
        }
        try await keep("credit", Self.owners)
        try await keep("aaa", Self.owners.replacingOccurrences(of: "credit", with: "aaa"))
        #expect(try await owner(world, .deployment, "d") == "credit")
        #expect(try await owner(world, .model, "m") == "credit")
        await #expect(throws: NamesOfOthers.self) {
            try await apply(world, Self.owners.replacingOccurrences(of: "credit", with: "aaa"))
        }
    }
}
