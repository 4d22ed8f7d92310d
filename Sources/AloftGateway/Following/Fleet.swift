import AloftClient
import AloftDomain
import AloftInference
import AloftWire
import Logging
import NIOCore
import Synchronization

/// What is in memory, compared with what should be. Loads what is missing, routes to what is ready,
/// lets go of what is no longer wanted when the last request has left it.
actor Fleet {
    private enum Residence {
        case loading
        case ready(LoadedRevision)
        case failed(String)
        /// No longer wanted: answers what it has, and goes on with new requests only while nothing
        /// that replaces it is ready.
        case draining(LoadedRevision)
    }

    private struct Key: Hashable {
        let endpoint: String
        let revision: RevisionID
    }

    private var desired = DesiredState(revision: 0, endpoints: [])
    private var hasState = false
    private var residents: [Key: Residence] = [:]
    private let loader: RevisionLoader
    private let time: TimeSource
    private let logger: Logger
    /// Hands a new table to every event loop; returns when all have it.
    private let publish: @Sendable (RoutingTable) async -> Void
    /// Says that a report is due.
    private let changed: @Sendable () -> Void
    private var publication: Task<Void, Never>?
    /// Endpoints that an administrator wants out of memory.
    private var unloaded: Set<String> = []

    init(
        loader: RevisionLoader, time: TimeSource, logger: Logger,
        publish: @escaping @Sendable (RoutingTable) async -> Void,
        changed: @escaping @Sendable () -> Void
    ) {
        self.loader = loader
        self.time = time
        self.logger = logger
        self.publish = publish
        self.changed = changed
    }

    var desiredRevision: Int { desired.revision }

    func apply(_ state: DesiredState) {
        desired = state
        hasState = true
        unloaded.formIntersection(state.endpoints.map(\.name))
        for endpoint in state.endpoints where !unloaded.contains(endpoint.name) {
            for revision in endpoint.revisions {
                let key = Key(endpoint: endpoint.name, revision: revision.id)
                switch residents[key] {
                case nil: startLoading(key, revision)
                case .draining(let loaded): residents[key] = .ready(loaded)
                case .loading, .ready, .failed: break
                }
            }
        }
        let wanted = wantedKeys
        for (key, residence) in residents where !wanted.contains(key) {
            switch residence {
            case .ready(let loaded): residents[key] = .draining(loaded)
            case .failed: residents[key] = nil
            // Looked at again when the load is done.
            case .loading, .draining: break
            }
        }
        update()
    }

    private var wantedKeys: Set<Key> {
        Set(
            desired.endpoints.filter { !unloaded.contains($0.name) }.flatMap { endpoint in
                endpoint.revisions.map { Key(endpoint: endpoint.name, revision: $0.id) }
            })
    }

    // MARK: The model repository

    /// Takes an endpoint out of memory. Returns when no event loop sends it new requests.
    func unload(_ name: String) async throws(GatewayFailure) {
        try check(name)
        unloaded.insert(name)
        apply(desired)
        await publication?.value
    }

    /// Brings an endpoint into memory, tries failed revisions again, and returns when it answers.
    ///
    /// - Throws: `GatewayFailure.notReady` where its model cannot be loaded, or is not within a minute.
    func load(_ name: String) async throws(GatewayFailure) {
        try check(name)
        unloaded.remove(name)
        for (key, residence) in residents where key.endpoint == name {
            if case .failed = residence { residents[key] = nil }
        }
        apply(desired)
        for _ in 0..<1200 {
            let states = residents.filter { $0.key.endpoint == name }.map(\.value)
            let isLoading = states.contains { if case .loading = $0 { true } else { false } }
            if !isLoading {
                for case .failed(let reason) in states {
                    throw .notReady(name: name, reason: reason)
                }
                await publication?.value
                return
            }
            try? await time.clock.sleep(for: .milliseconds(50))
        }
        throw .notReady(name: name, reason: "its model is still being loaded")
    }

    private func check(_ name: String) throws(GatewayFailure) {
        let names = desired.endpoints.map(\.name)
        guard names.contains(name) else {
            throw .endpointNotFound(name: name, known: names.sorted())
        }
    }

    // MARK: Loading

    private func startLoading(_ key: Key, _ revision: ServedRevision) {
        residents[key] = .loading
        Task { await load(key, revision) }
    }

    private func load(_ key: Key, _ revision: ServedRevision) async {
        var pause = Duration.milliseconds(200)
        while wantedKeys.contains(key) {
            do {
                let loaded = try await loader.load(revision, endpoint: key.endpoint)
                logger.info(
                    "loaded a revision",
                    metadata: [
                        "endpoint": "\(key.endpoint)", "revision": "\(revision.id)",
                        "p50us": "\(loaded.warmup.percentileMicroseconds(0.5) ?? 0)",
                    ])
                residents[key] = wantedKeys.contains(key) ? .ready(loaded) : .draining(loaded)
                return update()
            } catch let error as InferenceError where error.isPermanent {
                logger.error(
                    "a revision cannot be loaded",
                    metadata: [
                        "endpoint": "\(key.endpoint)", "revision": "\(revision.id)",
                        "error": "\(error.message)",
                    ])
                residents[key] = .failed(error.message)
                return update()
            } catch {
                logger.warning(
                    "a revision is not loaded yet",
                    metadata: [
                        "endpoint": "\(key.endpoint)", "revision": "\(revision.id)",
                        "error": "\(Self.text(of: error))",
                    ])
                try? await time.clock.sleep(for: pause)
                pause = min(pause * 2, .seconds(5))
            }
        }
        residents[key] = nil
        update()
    }

    private static func text(of error: any Error) -> String {
        switch error {
        case let error as ModelFetchError: error.message
        case let error as ClientError: error.message
        case let error as any Refusal: error.message
        default: "\(error)"
        }
    }

    // MARK: Routing

    /// Makes the table anew, hands it out, and then lets go of what nobody uses.
    private func update() {
        let table = makeTable()
        changed()
        let earlier = publication
        publication = Task {
            await earlier?.value
            await publish(table)
            await self.letGo(table)
        }
    }

    private func makeTable() -> RoutingTable {
        let endpoints = desired.endpoints.map { endpoint -> RoutedEndpoint in
            var weighted: [(LoadedRevision, Double)] = []
            var loaded: [LoadedRevision] = []
            var failure: String?
            for revision in endpoint.revisions {
                let key = Key(endpoint: endpoint.name, revision: revision.id)
                switch residents[key] {
                case .ready(let resident):
                    loaded.append(resident)
                    if revision.weightPercent > 0 {
                        weighted.append((resident, revision.weightPercent))
                    }
                case .failed(let reason) where revision.weightPercent > 0: failure = reason
                case .failed, .loading, .draining, nil: break
                }
            }
            let hasTraffic = endpoint.revisions.contains { $0.weightPercent > 0 }
            let isUnloaded = unloaded.contains(endpoint.name)
            if weighted.isEmpty, hasTraffic, !isUnloaded {
                // Better the revision from before than none: it goes when the new one is ready.
                weighted = drainingRevisions(of: endpoint.name).map { ($0, 1) }
            }
            return RoutedEndpoint(
                served: endpoint, weighted: weighted, loaded: loaded,
                reason: isUnloaded
                    ? "an administrator unloaded it; POST /v2/repository/models/\(endpoint.name)/load "
                        + "loads it again"
                    : failure
                        ?? (hasTraffic ? "its model is being loaded" : "no revision has traffic"),
                isUnloaded: isUnloaded, shadow: shadow(of: endpoint))
        }
        return RoutingTable(
            desiredRevision: desired.revision, endpoints: endpoints, isReady: hasState)
    }

    /// The revision with most of the traffic at the endpoint that gets copies, once it is in memory.
    private func shadow(of endpoint: ServedEndpoint) -> (LoadedRevision, Double)? {
        guard let rule = endpoint.shadow,
            let target = desired.endpoints.first(where: { $0.name == rule.endpoint }),
            let revision = target.revisions.max(by: { $0.weightPercent < $1.weightPercent }),
            revision.weightPercent > 0,
            case .ready(let loaded) = residents[Key(endpoint: target.name, revision: revision.id)]
        else { return nil }
        return (loaded, rule.sharePercent / 100)
    }

    private func drainingRevisions(of endpoint: String) -> [LoadedRevision] {
        residents.compactMap { key, residence in
            guard key.endpoint == endpoint, case .draining(let loaded) = residence else {
                return nil
            }
            return loaded
        }.max { $0.served.number < $1.served.number }.map { [$0] } ?? []
    }

    /// Every event loop has this table: a draining revision that it does not route to gets no new
    /// request, and goes when the outstanding ones are answered.
    private func letGo(_ table: RoutingTable) async {
        for (key, residence) in residents {
            guard case .draining(let loaded) = residence else { continue }
            let isRouted =
                table.endpoints[key.endpoint]?.routes.contains { $0.revision === loaded } ?? false
            guard !isRouted else { continue }
            if loaded.outstanding.load(ordering: .acquiring) == 0 {
                residents[key] = nil
                changed()
                if case .remote(let model) = loaded.execution { await model.stop() }
            } else {
                Task {
                    try? await time.clock.sleep(for: .milliseconds(50))
                    await self.letGo(table)
                }
            }
        }
    }

    // MARK: What there is

    struct ResidentReading: Sendable {
        let served: ServedEndpoint?
        let revision: ServedRevision
        let report: RevisionReport
        let refused: UInt64
    }

    func readings() -> [ResidentReading] {
        var result: [ResidentReading] = []
        let endpoints = Dictionary(
            desired.endpoints.map { ($0.name, $0) }, uniquingKeysWith: { $1 })
        for endpoint in desired.endpoints {
            for revision in endpoint.revisions {
                let key = Key(endpoint: endpoint.name, revision: revision.id)
                var report = RevisionReport(
                    endpoint: endpoint.name, revision: revision.id, state: .loading)
                var refused: UInt64 = 0
                switch residents[key] {
                case .ready(let loaded):
                    (report, refused) = Self.reading(loaded, .ready)
                case .failed(let reason):
                    report.state = .failed
                    report.error = reason
                case .loading, .draining, nil: break
                }
                result.append(
                    ResidentReading(
                        served: endpoint, revision: revision, report: report, refused: refused))
            }
        }
        for (key, residence) in residents {
            guard case .draining(let loaded) = residence else { continue }
            let (report, refused) = Self.reading(loaded, .draining)
            result.append(
                ResidentReading(
                    served: endpoints[key.endpoint], revision: loaded.served, report: report,
                    refused: refused))
        }
        return result
    }

    private static func reading(
        _ loaded: LoadedRevision, _ state: RevisionReport.State
    ) -> (RevisionReport, UInt64) {
        let reading = loaded.counters.read()
        return (
            RevisionReport(
                endpoint: loaded.endpoint, revision: loaded.served.id, state: state,
                warmup: loaded.warmup, requests: reading.requests, errors: reading.errors,
                latency: reading.latency, scores: reading.scores), reading.refused
        )
    }

    /// Ends the processes of all Python models.
    func stop() async {
        for residence in residents.values {
            switch residence {
            case .ready(let loaded), .draining(let loaded):
                if case .remote(let model) = loaded.execution { await model.stop() }
            case .loading, .failed: break
            }
        }
    }
}

extension InferenceError {
    /// Whether loading the same file again would fail the same way.
    fileprivate var isPermanent: Bool {
        switch self {
        case .unloadable, .unsupportedModel, .malformed, .missingField, .unknownInput,
            .repeatedInput, .missingInput, .unknownOutput, .wrongDatatype, .wrongShape,
            .wrongCount, .ragged, .badElement, .badBinary, .badContents, .unsupportedParameter,
            .badTable, .modelFailed:
            true
        case .runtimeMissing, .workerFailed, .deadlineExceeded, .overloaded: false
        }
    }
}
