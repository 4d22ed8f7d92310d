import AloftControl
import AloftDomain
import AloftPredictionLog
import AloftStore
import AloftWire
import Foundation

/// Makes what is shown of predictions from one snapshot.
struct PredictionPages {
    let db: Transaction
    /// Decides which gateways are alive.
    let now: Date

    private static let textLimit = 100

    func storage() throws -> ListPredictions.Storage {
        let totals = try PredictionQueries.totals(db)
        return ListPredictions.Storage(
            records: totals.records, bytes: totals.bytes, oldestDay: totals.oldestDay,
            expiredRecords: totals.expiredRecords)
    }

    func item(_ prediction: LoggedPrediction) throws -> PredictionItem {
        let (deployment, environment) =
            EndpointName.parts(prediction.endpoint)
            ?? (prediction.endpoint, EndpointName.production)
        return PredictionItem(
            id: prediction.id, at: prediction.receivedAt.stamp, endpoint: prediction.endpoint,
            deployment: deployment, environment: environment, revision: prediction.revision,
            number: try RevisionQueries.find(db, prediction.revision)?.number,
            model: prediction.modelName, version: prediction.modelVersion,
            digest: prediction.digest, status: prediction.status,
            milliseconds: Double(prediction.microseconds) / 1000,
            rolloutStep: prediction.rolloutStep, traceID: prediction.trace?.traceID)
    }

    // MARK: - The walk

    /// A version that was deleted ends the walk there; what is left of it is shown.
    func walk(_ prediction: LoggedPrediction) throws -> PredictionWalk {
        var walk = PredictionWalk()
        if let revision = try RevisionQueries.find(db, prediction.revision) {
            let item = try DeploymentPages(db: db, now: now).item(revision)
            walk.revision = item
            if let step = prediction.rolloutStep, let steps = item.rollout?.steps,
                steps.indices.contains(step)
            {
                walk.step = steps[step]
            }
        }
        guard let number = Int64(prediction.modelVersion),
            let version = try? RegistryQueries.version(db, prediction.modelName, number)
        else { return walk }
        let key = ModelVersionKey(model: version.name, version: Int(version.version))
        walk.version = PredictionWalk.Version(
            model: version.name, version: Int(version.version), source: version.source,
            aliases: version.aliases,
            createdAt: Date(millisecondsSince1970: version.createdAt).stamp,
            createdBy: version.user,
            conversionJob: try ServableQueries.find(db, key)?.job)
        guard let id = version.run, let run = try TrackingQueries.run(db, id) else { return walk }
        try add(run, to: &walk)
        return walk
    }

    private func add(_ run: RunRecord, to walk: inout PredictionWalk) throws {
        let info = run.info
        let experiment = try TrackingQueries.experiment(db, info.experiment)
        walk.run = PredictionWalk.TrainingRun(
            id: info.id, name: info.name, experiment: info.experiment,
            experimentName: experiment?.name ?? "", user: info.user, status: info.status.rawValue,
            startedAt: Date(millisecondsSince1970: info.startTime).stamp,
            endedAt: info.endTime.map { Date(millisecondsSince1970: $0).stamp },
            params: Dictionary(
                run.params.prefix(Self.textLimit).map { ($0.key, $0.value) },
                uniquingKeysWith: { first, _ in first }),
            metrics: Dictionary(
                run.metrics.prefix(Self.textLimit).map { ($0.key, $0.point.value) },
                uniquingKeysWith: { first, _ in first }))
        walk.datasets = run.datasets.map { input in
            PredictionWalk.Dataset(
                name: input.dataset.name, digest: input.dataset.digest,
                sourceType: input.dataset.sourceType,
                source: String(input.dataset.source.prefix(2000)),
                context: input.tags.first { $0.key == "mlflow.data.context" }?.value)
        }
        let tags = Dictionary(run.tags.map { ($0.key, $0.value) }, uniquingKeysWith: { $1 })
        let job = try job(of: info.id, tag: tags["aloft.job"])
        walk.job = job.map(JobView.init)
        if let job {
            walk.environment = try JobQueries.attempts(db, of: job.id).last {
                $0.environment != nil
            }?
            .environment
        }
        let code = PredictionWalk.Code(
            snapshot: job?.spec.snapshot, command: job?.spec.command,
            source: tags["mlflow.source.name"], commit: tags["mlflow.source.git.commit"])
        if code != PredictionWalk.Code(snapshot: nil, command: nil, source: nil, commit: nil) {
            walk.code = code
        }
    }

    private func job(of run: RunID, tag: String?) throws -> JobRecord? {
        if let tag, let job = try JobQueries.find(db, JobID(tag)) { return job }
        return try JobQueries.list(db, JobQueries.Filter(run: run), limit: 1).first
    }
}
