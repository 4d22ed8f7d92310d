package import AloftDomain
package import AloftStore
import AloftWire
import Foundation
import Hummingbird
import NIOCore

/// Takes what other trackers hold; `aloft import` calls these.
package struct ImportRoutes: Sendable {
    private let store: Store
    private let time: TimeSource

    package init(store: Store, time: TimeSource) {
        self.store = store
        self.time = time
    }

    package func add(to routes: inout APIRoutes) {
        routes.on(ImportExperiment.self) { call in
            let incoming = IncomingExperiment(call.body)
            let now = time.now()
            let (found, isNew) = try await store.write { db in
                try ImportQueries.experiment(db, incoming, at: now)
            }
            return ImportExperiment.Reply(
                experiment: found.id, artifactLocation: found.artifactLocation, isNew: isNew)
        }
        routes.on(CheckImports.self) { call in try await check(call.body) }
        routes.on(ImportLoggedModel.self) { call in
            let incoming = try IncomingLoggedModel(call.body)
            let now = time.now()
            let isNew = try await store.write { db in
                try ImportQueries.loggedModel(db, incoming, at: now)
            }
            return ImportLoggedModel.Reply(isNew: isNew)
        }
        routes.on(ImportModel.self) { call in
            let incoming = try IncomingModel(call.body)
            let (who, now) = (call.principal, time.now())
            let result = try await store.write { db in
                try ImportQueries.model(db, incoming, who: who, at: now)
            }
            return ImportModel.Reply(
                isNew: result.isNew, newVersions: result.newVersions, conflicts: result.conflicts)
        }
        routes.raw(.post, ImportRun.path, .manage) { request, context in
            return try await takeRun(request)
        }
    }

    private func check(_ body: CheckImports.Body) async throws -> CheckImports.Reply {
        try await store.read { db in
            let states = { (kind: ImportQueries.Kind, items: [CheckImports.Item]) in
                // text: ids, which are ASCII; others are refused when they are taken
                var states: [String: CheckImports.State] = [:]
                for item in items {
                    states[item.id] = CheckImports.State(
                        try ImportQueries.state(db, kind, item.id), item.fingerprint)
                }
                return states
            }
            return CheckImports.Reply(
                runs: try states(.run, body.runs),
                loggedModels: try states(.loggedModel, body.loggedModels))
        }
    }

    /// Reads the lines as they come, then writes the run in one transaction.
    private func takeRun(_ request: Request) async throws -> Response {
        var reader = RunLineReader()
        for try await part in request.body { try reader.add(part.readableBytesView) }
        let (incoming, series) = try reader.finish()
        let now = time.now()
        let (isNew, points) = try await store.write { db in
            try ImportQueries.run(db, incoming, series, at: now)
        }
        return ErrorResponse.json(ImportRun.Reply(isNew: isNew, points: points), status: .ok)
    }
}

/// Puts a run together from the lines of its body.
struct RunLineReader {
    /// A line of the most points with long numbers has a tenth of this.
    private static let mostLineBytes = 32 << 20
    private static let readingBytesPerByte = 5

    private var line: [UInt8] = []
    private var run: IncomingRun?
    private var series: [MetricSeries] = []
    private var points = 0

    mutating func add(_ bytes: ByteBufferView) throws {
        var rest = bytes
        while let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
            try append(rest[..<end])
            try take()
            rest = rest[rest.index(after: end)...]
        }
        try append(rest)
    }

    private mutating func append(_ bytes: ByteBufferView) throws {
        guard line.count + bytes.count <= Self.mostLineBytes else {
            throw BodyError.tooLarge(limitBytes: Self.mostLineBytes)
        }
        line.append(contentsOf: bytes)
    }

    mutating func finish() throws -> (IncomingRun, [MetricSeries]) {
        try take()
        guard let run else { throw BodyError.malformed(reason: "the run is missing") }
        return (run, series)
    }

    private mutating func take() throws {
        guard !line.isEmpty else { return }
        defer { line.removeAll(keepingCapacity: true) }
        try NulCheck.refuse(line)
        do {
            try line.withUnsafeBytes { bytes in
                try BodyWeight.check(bytes, perByte: Self.readingBytesPerByte)
            }
            let data = Data(line)
            if run == nil {
                run = try IncomingRun(JSON.decoder.decode(ImportRun.Header.self, from: data))
            } else {
                try take(JSON.decoder.decode(TransferPoints.self, from: data))
            }
        } catch let error as DecodingError {
            throw BodyError.malformed(reason: error.plainReason)
        }
    }

    private mutating func take(_ one: TransferPoints) throws {
        guard one.values.count == one.timestamps.count, one.values.count == one.steps.count else {
            throw BodyError.malformed(reason: "\(one.key.prefix(300)): lists of different lengths")
        }
        points += one.values.count
        guard points <= ImportRun.mostPoints else {
            throw ImportError.invalid(
                what: run?.id.rawValue ?? "", reason: "more than \(ImportRun.mostPoints) points")
        }
        try ImportRules.check(key: one.key)
        let all = one.values.indices.map { index in
            MetricPoint(
                value: one.values[index], timestamp: one.timestamps[index], step: one.steps[index])
        }
        series.append(MetricSeries(key: one.key, points: all))
    }
}
