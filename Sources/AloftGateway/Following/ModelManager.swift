import AloftClient
import AloftDomain
import AloftInference
import AloftWire
import Logging
import NIOCore
import Synchronization

/// The model manager: what is in memory, compared with what should be. Loads what is missing, routes to
/// what is ready, lets go of what is no longer wanted when the last request has left it.
actor ModelManager {
    enum LoadState {
        /// Waits for its turn to be loaded; `isAwaited` where it was evicted and a request asks for it.
        case queued(isAwaited: Bool)
        case loading(isAwaited: Bool)
        case ready(LoadedRevision)
        case failed(LoadFailure)
        /// On disk only, to make room; loaded again when it is asked for.
        case evicted(warmup: LatencyHistogram?)
        /// On its way out of memory: evicted when the last request has left it.
        case evicting(LoadedRevision)
        /// No longer wanted: answers what it has, and goes on with new requests only while nothing
        /// that replaces it is ready.
        case draining(LoadedRevision)
    }

    struct Key: Hashable {
        let endpoint: String
        let revision: RevisionID
    }

    private(set) var desired = DesiredState(revision: 0, endpoints: [])
    private(set) var hasState = false
    var loadStates: [Key: LoadState] = [:]
    private let loader: RevisionLoader
    /// Memory that models may take; `nil` for all of it.
    let memoryBytes: Int?
    let time: TimeSource
    let logger: Logger
    /// Hands a new table to every event loop; returns when all have it.
    private let publish: @Sendable (RoutingTable) async -> Void
    /// Says that a report is due.
    private let changed: @Sendable () -> Void
    private(set) var publication: Task<Void, Never>?
    /// Endpoints that an administrator wants out of memory.
    // text: names of endpoints, which are ASCII
    var unloaded: Set<String> = []
    /// Whether something changed since the publication under way was made.
    private var isTableStale = false
    /// What is to be loaded, in order, and how many loads are under way.
    var loadQueue = LoadQueue<Key>()
    private var quickLoads = 0
    private var slowLoads = 0
    var counts = MemoryCounts()
    // text: names of endpoints, which are ASCII
    var loadWaiters: [String: [LoadWaiter]] = [:]
    var lastWaiter: UInt64 = 0
    /// What could not be loaded so far, and is tried again.
    var failures: [Key: LoadFailure] = [:]
    /// The table by which every event loop answers.
    private var servedTable = RoutingTable.empty
    private var mayRemoveFiles = false

    /// Loads under way at once: a start with thousands of models must not ask for all of them together.
    private static let quickLoadsAtOnce = 4
    /// Of Python models, each of which starts a process that imports for seconds.
    private static let slowLoadsAtOnce = 4

    init(
        loader: RevisionLoader, memoryBytes: Int?, time: TimeSource, logger: Logger,
        publish: @escaping @Sendable (RoutingTable) async -> Void,
        changed: @escaping @Sendable () -> Void
    ) {
        self.loader = loader
        self.memoryBytes = memoryBytes
        self.time = time
        self.logger = logger
        self.publish = publish
        self.changed = changed
    }

    var desiredRevision: Int { desired.revision }

    /// The desired state by which every event loop answers.
    var servedRevision: Int { servedTable.desiredRevision }

    /// Whether every event loop knows that it is in memory, so that a request finds it.
    func isServed(_ loaded: LoadedRevision, at endpoint: String) -> Bool {
        servedTable.endpoints[endpoint]?.loaded.contains { $0 === loaded } ?? false
    }

    /// - Parameter isFromDisk: whether it is what an earlier process served, so that models beyond
    ///   the memory may stay evicted. What the server says anew is loaded in any case: a rollout
    ///   waits for it.
    func apply(_ state: DesiredState, isFromDisk: Bool) {
        adjust(to: state)
        desired = state
        hasState = true
        unloaded.formIntersection(state.endpoints.map(\.name))
        var freeBytes = isFromDisk ? memoryBytes : nil
        for endpoint in state.endpoints where !unloaded.contains(endpoint.name) {
            for revision in endpoint.revisions {
                let key = Key(endpoint: endpoint.name, revision: revision.id)
                switch loadStates[key] {
                case nil:
                    let needed = ModelMemory.bytes(of: revision.servable)
                    if let free = freeBytes, free < needed {
                        loadStates[key] = .evicted(warmup: nil)
                    } else {
                        freeBytes = freeBytes.map { $0 - needed }
                        loadStates[key] = .queued(isAwaited: false)
                        loadQueue.append(key, isQuick: revision.isQuickToLoad)
                    }
                case .draining(let loaded), .evicting(let loaded):
                    loadStates[key] = .ready(loaded)
                case .queued, .loading, .ready, .failed, .evicted: break
                }
            }
        }
        let wanted = wantedKeys
        for (key, state) in loadStates where !wanted.contains(key) {
            switch state {
            case .ready(let loaded), .evicting(let loaded): loadStates[key] = .draining(loaded)
            case .failed, .queued, .evicted: loadStates[key] = nil
            // Looked at again when the load is done.
            case .loading, .draining: break
            }
        }
        loadQueue.removeAll { loadStates[$0] == nil }
        failures = failures.filter { wanted.contains($0.key) }
        loadNext()
        update()
        mayRemoveFiles = mayRemoveFiles || !isFromDisk
        removeUnusedFiles()
    }

    /// Models in memory run on as is said of them now.
    private func adjust(to state: DesiredState) {
        for endpoint in state.endpoints {
            let before = desired.endpoints.first { $0.name == endpoint.name }
            guard let before, before.execution != endpoint.execution else { continue }
            for (key, state) in loadStates where key.endpoint == endpoint.name {
                if case .ready(let loaded) = state {
                    loaded.adjust(endpoint.execution, loader.configuration)
                }
            }
        }
    }

    private func execution(of endpoint: String) -> ServedExecution? {
        desired.endpoints.first { $0.name == endpoint }?.execution
    }

    /// Frees the disk of models that nothing uses; not before the server said what is used now.
    private func removeUnusedFiles() {
        if mayRemoveFiles { loader.models.removeAll(except: usedDigests) }
    }

    /// What a revision in the desired state or still in memory is made of.
    private var usedDigests: Set<ContentDigest> {
        var digests = Set(
            desired.endpoints.flatMap { $0.revisions.map(\.servable.digest) })
        for state in loadStates.values {
            if case .draining(let loaded) = state {
                digests.insert(loaded.served.servable.digest)
            }
        }
        return digests
    }

    private var wantedKeys: Set<Key> {
        Set(
            desired.endpoints.filter { !unloaded.contains($0.name) }.flatMap { endpoint in
                endpoint.revisions.map { Key(endpoint: endpoint.name, revision: $0.id) }
            })
    }

    func wanted(_ key: Key) -> ServedRevision? {
        guard !unloaded.contains(key.endpoint) else { return nil }
        return desired.endpoints.first { $0.name == key.endpoint }?
            .revisions.first { $0.id == key.revision }
    }

    // MARK: Loading

    /// Begins loads until as many are under way as may be.
    func loadNext() {
        while let (key, isQuick) = loadQueue.next(
            quickPlaces: Self.quickLoadsAtOnce - quickLoads,
            slowPlaces: Self.slowLoadsAtOnce - slowLoads)
        {
            guard case .queued(let isAwaited) = loadStates[key], let revision = wanted(key) else {
                continue
            }
            makeRoom(for: ModelMemory.bytes(of: revision.servable), endpoint: key.endpoint)
            loadStates[key] = .loading(isAwaited: isAwaited)
            if isQuick { quickLoads += 1 } else { slowLoads += 1 }
            Task { await load(key, revision, isAwaited: isAwaited) }
        }
    }

    private func load(_ key: Key, _ revision: ServedRevision, isAwaited: Bool) async {
        let begin = NIODeadline.now()
        let state: LoadState?
        do {
            let execution = execution(of: key.endpoint)
            let loaded = try await loader.load(revision, endpoint: key.endpoint, execution)
            // What was said of it while it was loaded holds, too.
            let said = self.execution(of: key.endpoint)
            if said != execution { loaded.adjust(said, loader.configuration) }
            let isWanted = wanted(key) != nil
            logger.debug(
                "loaded a revision",
                metadata: [
                    "endpoint": "\(key.endpoint)", "revision": "\(revision.id)",
                    "p50us": "\(loaded.warmup.percentileMicroseconds(0.5) ?? 0)",
                ])
            state = isWanted ? .ready(loaded) : .draining(loaded)
            failures[key] = nil
            counts.loaded(seconds: Double((NIODeadline.now() - begin).nanoseconds) / 1e9)
        } catch let error as InferenceError where error.isPermanent {
            logger.error(
                "a revision cannot be loaded",
                metadata: [
                    "endpoint": "\(key.endpoint)", "revision": "\(revision.id)",
                    "error": "\(error.message)",
                ])
            counts.failures += 1
            state =
                wanted(key) == nil
                ? nil : .failed(tryLater(key, reason: error.message, isPermanent: true))
        } catch {
            logger.warning(
                "a revision is not loaded yet",
                metadata: [
                    "endpoint": "\(key.endpoint)", "revision": "\(revision.id)",
                    "error": "\(Self.text(of: error))",
                ])
            counts.failures += 1
            if wanted(key) == nil {
                state = nil
            } else {
                tryLater(
                    key, reason: Self.text(of: error), isPermanent: false,
                    isServerAway: (error as? ClientError)?.isTransient ?? false)
                state = .queued(isAwaited: isAwaited)
            }
        }
        loadStates[key] = state
        if revision.isQuickToLoad { quickLoads -= 1 } else { slowLoads -= 1 }
        loadNext()
        update()
    }

    /// Returns when nothing is being loaded, or when the time is over.
    func settle(within limit: Duration) async {
        for _ in 0..<max(1, Int(bounded: limit / .milliseconds(20), 0...1_000_000)) {
            if quickLoads + slowLoads == 0, loadQueue.isEmpty, publication == nil { return }
            try? await time.clock.sleep(for: .milliseconds(20))
        }
        logger.warning("models are still being loaded; taking over without them")
    }

    private static func text(of error: any Error) -> String {
        switch error {
        case let error as ModelFetchError: error.message
        case let error as ClientError: error.message
        case let error as any Refusal: error.message
        default: ErrorWords.own(error) ?? "something went wrong (\(type(of: error)))"
        }
    }

    // MARK: Routing

    /// Makes the table anew, hands it out, and then lets go of what nobody uses. Changes that come
    /// while one table is handed out share the next.
    func update() {
        changed()
        guard publication == nil else {
            isTableStale = true
            return
        }
        publication = Task { await publishAll() }
    }

    private func publishAll() async {
        repeat {
            isTableStale = false
            let table = makeTable()
            await publish(table)
            servedTable = table
            changed()
            resumeWaiters(table)
            await letGo(table)
        } while isTableStale
        publication = nil
    }

    /// Every event loop has this table: a revision on its way out that it does not route to gets no
    /// new request, and goes when the outstanding ones are answered.
    private func letGo(_ table: RoutingTable) async {
        var hasOutstanding = false
        var gone: [LoadedRevision] = []
        var isOver = false
        for (key, state) in loadStates {
            let loaded: LoadedRevision
            let rest: LoadState?
            switch state {
            case .draining(let leaving): (loaded, rest) = (leaving, nil)
            case .evicting(let leaving):
                (loaded, rest) = (leaving, .evicted(warmup: leaving.warmup))
            case .queued, .loading, .ready, .failed, .evicted: continue
            }
            let isRouted =
                table.endpoints[key.endpoint]?.routes.contains { $0.revision === loaded } ?? false
            guard !isRouted else { continue }
            if loaded.outstanding.load(ordering: .acquiring) == 0 {
                loadStates[key] = rest
                gone.append(loaded)
                isOver = isOver || rest == nil
            } else {
                hasOutstanding = true
            }
        }
        for loaded in gone {
            if case .remote(let model) = loaded.execution { await model.stop() }
        }
        if !gone.isEmpty {
            gone = []
            ModelMemory.giveBackToSystem()
            if isOver { removeUnusedFiles() }
            changed()
        }
        guard hasOutstanding else { return }
        Task {
            try? await time.clock.sleep(for: .milliseconds(50))
            self.update()
        }
    }

    private var loaded: [LoadedRevision] {
        loadStates.values.compactMap { state in
            switch state {
            case .ready(let loaded), .draining(let loaded), .evicting(let loaded): loaded
            case .queued, .loading, .failed, .evicted: nil
            }
        }
    }

    /// Whether a request is being answered elsewhere than on its event loop.
    var isAnswering: Bool {
        loaded.contains { $0.outstanding.load(ordering: .acquiring) > 0 }
    }

    /// Refuses what waits for a model, and whatever else comes: the time for answers is over. What
    /// is in a model is answered.
    func refuseWaiting() {
        for loaded in loaded {
            switch loaded.execution {
            case .inline: break
            case .batched(let batcher): batcher.close()
            case .remote(let model): model.close()
            }
        }
    }

    /// Ends the processes of all Python models.
    func stop() async {
        for loaded in loaded {
            if case .remote(let model) = loaded.execution { await model.stop() }
        }
    }
}

extension ServedRevision {
    /// Whether loading it reads a file and no more.
    var isQuickToLoad: Bool { servable.manifest.runtime == .onnx }
}

extension InferenceError {
    /// Whether loading the same file again would fail the same way.
    fileprivate var isPermanent: Bool {
        switch self {
        case .unloadable, .unsupportedModel, .malformed, .missingField, .unknownInput,
            .repeatedInput, .repeatedMember, .missingInput, .unknownOutput, .wrongDatatype,
            .wrongShape,
            .wrongCount, .ragged, .badElement, .badBinary, .badContents, .unsupportedParameter,
            .badTable, .tooMuch, .refusedByModel, .wrongType, .badAnswer, .modelFailed:
            true
        case .runtimeMissing, .workerFailed, .deadlineExceeded, .overloaded, .shuttingDown: false
        }
    }
}
