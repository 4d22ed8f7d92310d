package import AloftDomain
package import Foundation

/// A run of another tracker, whole but for its points.
package struct IncomingRun: Sendable {
    package var source: String
    package var fingerprint: String
    package var id: RunID
    package var experiment: ExperimentID
    package var name: String
    package var user: String
    package var status: RunStatus
    package var startTime: Int64
    package var endTime: Int64?
    /// Kept where its files stay where they are.
    package var artifactURI: String?
    package var params: [NamedText]
    package var tags: [NamedText]
    package var datasets: [DatasetInput] = []
    package var modelInputs: [LoggedModelID] = []
    package var modelOutputs: [ModelOutput] = []

    package init(
        source: String, fingerprint: String, id: RunID, experiment: ExperimentID, name: String,
        user: String, status: RunStatus, startTime: Int64, endTime: Int64?, artifactURI: String?,
        params: [NamedText], tags: [NamedText]
    ) {
        self.source = source
        self.fingerprint = fingerprint
        self.id = id
        self.experiment = experiment
        self.name = name
        self.user = user
        self.status = status
        self.startTime = startTime
        self.endTime = endTime
        self.artifactURI = artifactURI
        self.params = params
        self.tags = tags
    }
}

/// What an import refuses, as facts.
package enum ImportError: Refusal, Equatable {
    /// There is a run or logged model of this id that no import brought.
    case foreign(id: String)
    /// It was taken once and deleted here since.
    case deletedHere(id: String)
    case invalid(what: String, reason: String)
    /// `aloft gc` removes files, or was stopped while it did.
    case beingFreed

    package var code: String {
        switch self {
        case .foreign: "import_foreign"
        case .deletedHere: "import_deleted_here"
        case .invalid: "import_invalid"
        case .beingFreed: "space_being_freed"
        }
    }

    package var kind: RefusalKind {
        switch self {
        case .foreign, .deletedHere: .conflict
        case .invalid: .invalid
        case .beingFreed: .unavailable
        }
    }

    package var message: String {
        switch self {
        case .foreign(let id): "\(id) is here already and came from no import; it stays as it is"
        case .deletedHere(let id): "\(id) was imported once and deleted here; it does not come back"
        case .invalid(let what, let reason): "\(what): \(reason)"
        case .beingFreed:
            "space is being freed; try again when `aloft gc --yes` has ended (run it if it was "
                + "stopped)"
        }
    }
}

extension ImportQueries {
    /// Inserts a run with all its points, or adds to one that was imported before: points and params
    /// that are not there yet, and the source's status, end, name and tags.
    ///
    /// - Returns: whether the run is new, and how many points were added.
    /// - Throws: `ImportError`, `TrackingError`.
    package static func run(
        _ db: Transaction, _ incoming: IncomingRun, _ series: [MetricSeries], at: Date
    ) throws -> (isNew: Bool, points: Int) {
        let isNew: Bool
        switch try state(db, .run, incoming.id.rawValue) {
        case .unknown: isNew = true
        case .taken: isNew = false
        case .deleted: throw ImportError.deletedHere(id: incoming.id.rawValue)
        case .foreign: throw ImportError.foreign(id: incoming.id.rawValue)
        }
        if isNew { try insert(db, incoming) }
        let handle = try TrackingQueries.activeRun(db, incoming.id)
        var points = 0
        for one in try isNew ? series : missing(db, incoming.id, series) where !one.points.isEmpty {
            try TrackingQueries.log(db, handle, [one])
            points += one.points.count
        }
        try addTexts(db, handle, incoming, isNew: isNew)
        try TrackingQueries.logDatasets(db, handle, incoming.datasets)
        try TrackingQueries.logModelInputs(db, handle, incoming.modelInputs)
        try TrackingQueries.logModelOutputs(db, handle, incoming.modelOutputs)
        try TrackingQueries.updateRun(
            db, handle, status: incoming.status, endTime: incoming.endTime, name: incoming.name)
        try note(
            db, .run, incoming.id.rawValue, source: incoming.source,
            fingerprint: incoming.fingerprint, at: at)
        return (isNew, points)
    }

    private static func insert(_ db: Transaction, _ incoming: IncomingRun) throws {
        try TrackingQueries.createRun(
            db,
            NewRun(
                id: incoming.id, experiment: incoming.experiment, name: incoming.name,
                user: incoming.user, status: incoming.status, startTime: incoming.startTime))
        if let uri = incoming.artifactURI {
            try db.perform(
                "UPDATE run SET artifactUri = ? WHERE id = ?", [uri, incoming.id.rawValue])
        }
    }

    private static func addTexts(
        _ db: Transaction, _ run: RunHandle, _ incoming: IncomingRun, isNew: Bool
    ) throws {
        let known =
            isNew
            ? []
            : try TrackingQueries.texts(
                db, "SELECT key, value FROM runParam WHERE run = ?", run.number)
        let keys = Set(known.map { ExactText($0.key) })
        // A param never changes: where it is here, it stays.
        for param in incoming.params where !keys.contains(ExactText(param.key)) {
            try TrackingQueries.logParam(db, run, param)
        }
        for tag in incoming.tags where tag.key != TrackingQueries.nameKey {
            try TrackingQueries.setTag(db, run, tag)
        }
    }

    /// The points that the run does not have yet.
    private static func missing(
        _ db: Transaction, _ run: RunID, _ series: [MetricSeries]
    ) throws -> [MetricSeries] {
        var known: [ExactText: Set<PointIdentity>] = [:]
        return try series.map { one in
            let name = ExactText(one.key)
            if known[name] == nil {
                let history = try TrackingQueries.history(db, run, key: one.key)
                known[name] = Set(history.map(PointIdentity.init))
            }
            var rest = one
            rest.points.removeAll { known[name]?.contains(PointIdentity($0)) ?? false }
            return rest
        }
    }

    /// A point as a set knows it: NaN equals NaN, and zero has no sign.
    private struct PointIdentity: Hashable {
        let step: Int64
        let timestamp: Int64
        let value: UInt64

        init(_ point: MetricPoint) {
            step = point.step
            timestamp = point.timestamp
            let plain = point.value == 0 ? 0 : point.value
            value = plain.isNaN ? UInt64.max : plain.bitPattern
        }
    }
}
