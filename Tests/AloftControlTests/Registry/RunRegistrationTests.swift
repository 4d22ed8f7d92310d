import AloftDomain
import AloftTestKit
import Foundation
import Testing

@testable import AloftControl
@testable import AloftStore

/// What a job or a sweep registers of a run that it made.
struct RunRegistrationTests {
    private static let start = Date(timeIntervalSince1970: 0)
    private static let demo = ProjectID("demo")

    private let temporary: TemporaryStore
    private var store: Store { temporary.store }
    private let registration = RunRegistration(
        model: "m", run: RunID("r"), project: demo, tags: [NamedText(key: "k", value: "v")])

    /// A run with two models, of which the first alone is ready.
    init() async throws {
        temporary = try TemporaryStore()
        try await temporary.store.write { db in
            try ProjectQueries.ensure(db, Self.demo, at: Self.start)
            let experiment = ExperimentID("0")
            try ProjectQueries.ensure(db, Self.demo, at: Self.start)
            _ = try TrackingQueries.createRun(
                db, NewRun(id: RunID("r"), experiment: experiment, name: "r", startTime: 0))
            for name in ["ready", "begun"] {
                try LoggedModelQueries.create(
                    db,
                    NewLoggedModel(
                        id: LoggedModelID("m-\(name)"), experiment: experiment, name: name,
                        sourceRun: RunID("r")), at: Self.start)
            }
            try LoggedModelQueries.setStatus(db, LoggedModelID("m-ready"), .ready, at: Self.start)
        }
    }

    @Test func `the newest model that is ready becomes one version, however often it is asked for`()
        async throws
    {
        let made = try await store.write { [registration] db in
            [
                try registration.apply(db, by: .local, at: Self.start),
                try registration.apply(db, by: .local, at: Self.start),
            ]
        }
        #expect(made == [1, 1].map { RegisteredVersion(model: "m", version: $0) })
        let version = try await store.read { try RegistryQueries.version($0, "m", 1) }
        #expect(version.source == "models:/m-ready")
        #expect(
            version.tags == [
                NamedText(key: "aloft.project", value: "demo"), NamedText(key: "k", value: "v"),
            ])
    }

    @Test func `nothing is registered under a name that is another project's by now`() async throws
    {
        try await store.write { db in
            try NameOwnerQueries.takeOver(
                db, NameOwner(kind: .model, name: "m", project: Self.demo),
                for: ProjectID("credit"), at: Date(timeIntervalSince1970: 5), by: .local)
        }
        let refusals = try await store.read { [registration] db in
            try [1, 6].map {
                try registration.refusal(db, orderedAt: Date(timeIntervalSince1970: $0))
            }
        }
        #expect(refusals[0]?.contains("is the project credit's since this was started") == true)
        #expect(refusals[1] == nil)
    }
}
