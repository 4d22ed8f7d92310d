import AloftTestKit
import Foundation
import Testing

@testable import AloftDomain
@testable import AloftStore

/// Rows that hold what this program never writes, as a newer version or somebody by hand may have left
/// them: reading them throws the one error, and nothing is taken for something else.
struct UnreadableRowTests {
    struct Case: Sendable, CustomTestStringConvertible {
        var table: String
        var column: String
        /// Makes the row, with `?` in the place of the word.
        var sql: [String]
        var read: @Sendable (Transaction) throws -> Void

        init(
            _ table: String, _ column: String, _ sql: String...,
            read: @escaping @Sendable (Transaction) throws -> Void
        ) {
            self.table = table
            self.column = column
            self.sql = sql
            self.read = read
        }

        var testDescription: String { "\(table).\(column)" }
    }

    static let time = "'2026-01-01T00:00:00.000Z'"
    static let now = Date(timeIntervalSince1970: 1_767_225_600)

    static func run(status: String, stage: String) -> String {
        """
        INSERT INTO run (id, experiment, name, userId, status, startTime, artifactUri, lifecycleStage)
        VALUES ('r', 0, 'n', 'u', \(status), 0, '', \(stage))
        """
    }

    static let tracking: [Case] = [
        Case("run", "status", run(status: "?", stage: "'active'")) {
            _ = try TrackingQueries.runInfo($0, RunID("r"))
        },
        Case("run", "status", run(status: "?", stage: "'active'")) {
            _ = try TrackingQueries.activeRun($0, RunID("r"))
        },
        Case("run", "lifecycleStage", run(status: "'RUNNING'", stage: "?")) {
            _ = try TrackingQueries.runInfo($0, RunID("r"))
        },
        Case("run", "lifecycleStage", run(status: "'RUNNING'", stage: "?")) {
            _ = try TrackingQueries.activeRun($0, RunID("r"))
        },
        Case(
            "experiment", "lifecycleStage",
            "INSERT INTO experiment VALUES (7, 'default', 'e', '', ?, 0, 0)"
        ) { _ = try TrackingQueries.experiment($0, ExperimentID("7")) },
        Case(
            "loggedModel", "status",
            """
            INSERT INTO loggedModel (id, experiment, name, modelType, artifactUri, status, createdAt,
                updatedAt) VALUES ('m', 0, 'n', '', '', ?, 0, 0)
            """
        ) { _ = try LoggedModelQueries.get($0, LoggedModelID("m")) },
        Case(
            "modelVersion", "stage",
            "INSERT INTO registeredModel (project, name, createdAt, updatedAt) VALUES ('default', 'm', 0, 0)",
            """
            INSERT INTO modelVersion (model, version, stage, description, source, runId, runLink, userId,
                createdAt, updatedAt) VALUES (1, 1, ?, '', '', '', '', '', 0, 0)
            """
        ) { _ = try RegistryQueries.version($0, "m", 1) },
        Case(
            "trace", "state",
            "INSERT INTO trace (id, experiment, requestTime, state, isFinal) VALUES ('t', 0, 0, ?, 1)"
        ) { _ = try TraceQueries.get($0, TraceID("t")) },
        Case(
            "traceAssessment", "kind",
            "INSERT INTO trace (id, experiment, requestTime, state, isFinal) VALUES ('t', 0, 0, 'OK', 1)",
            """
            INSERT INTO traceAssessment (trace, id, name, kind, isValid, createdAt, updatedAt, body)
            VALUES (1, 'a', 'n', ?, 1, 0, 0, '{}')
            """
        ) { _ = try AssessmentQueries.get($0, "a", of: TraceID("t")) },
    ]

    static let platform: [Case] = [
        Case(
            "token", "kind",
            "INSERT INTO token (id, name, kind, hash, project, createdAt) VALUES ('t', 'n', ?, '\(TokenQueries.hash("s"))', 'default', \(time))"
        ) { _ = try TokenQueries.find($0, secret: "s") },
        Case("garbage", "kind", "INSERT INTO garbage VALUES (?, 'p', \(time))") {
            _ = try SpaceQueries.garbage($0)
        },
        Case("nameOwner", "kind", "INSERT INTO nameOwner VALUES (?, 'n', 'default', '', '')") {
            _ = try NameOwnerQueries.list($0, of: .default)
        },
        Case(
            "webhookEvent", "entity",
            "INSERT INTO webhook VALUES ('w', 'n', '', '', NULL, 1, 0, 0)",
            "INSERT INTO webhookEvent VALUES (?, 'created', 'w')"
        ) { _ = try WebhookQueries.get($0, WebhookID("w")) },
        Case(
            "webhookDelivery", "state",
            "INSERT INTO webhook VALUES ('w', 'n', '', '', NULL, 1, 0, 0)",
            """
            INSERT INTO webhookDelivery (webhook, body, state, attempt, dueAt, createdAt)
            VALUES ('w', '', ?, 1, \(time), \(time))
            """
        ) { _ = try DeliveryQueries.apply($0, .accepted(attempt: 1), to: 1, at: now) },
        Case(
            "webhookDelivery", "due",
            "INSERT INTO webhook VALUES ('w', 'n', '', '', NULL, 1, 0, 0)",
            """
            INSERT INTO webhookDelivery (webhook, body, state, attempt, dueAt, createdAt)
            VALUES ('w', '', 'waiting', 1, ?, \(time))
            """
        ) { _ = try DeliveryQueries.nextDue($0) },
        Case(
            "gatewayReport", "state",
            """
            INSERT INTO gatewayReport (gateway, incarnation, revision, state, requests, errors, latency)
            VALUES ('g', '1', 'r', ?, 0, 0, '{}')
            """
        ) { _ = try GatewayQueries.traffic($0, of: RevisionID("r")) },
        Case("ledger", "lossAcceptedAt", "UPDATE ledger SET lossAcceptedAt = ?") {
            _ = try Ledger.read($0)
        },
        Case(
            "event", "payload",
            "INSERT INTO event (at, project, entity, entityId, what, who, payload) VALUES (\(time), 'default', 'job', 'j', 'w', 'local', ?)"
        ) { _ = try EventLog.list($0, limit: 1) },
    ]

    @Test(arguments: tracking + platform)
    func `an unknown word is refused where it stands`(_ given: Case) async throws {
        let temporary = try TemporaryStore()
        // By somebody who passes the rules of the schema by.
        try await temporary.store.maintain { db in
            try db.execute(sql: "PRAGMA ignore_check_constraints = ON")
            try db.execute(sql: "PRAGMA foreign_keys = OFF")
            for sql in given.sql {
                try db.execute(sql: sql.replacing("?", with: "'unheard-of'"))
            }
        }
        do {
            try await temporary.store.write { try given.read($0) }
            Issue.record("it was read as something")
        } catch let error as UnreadableValue {
            #expect(
                error
                    == UnreadableValue(
                        table: given.table, column: given.column,
                        text: given.column == "payload" ? "10 bytes of JSON" : "'unheard-of'"))
        }
    }
}
