import AloftDomain
import AloftSearch
import AloftStore

/// A sweep as one look at the tables shows it.
struct SweepSnapshot: Sendable, Equatable {
    /// What is known of a trial that has not ended.
    struct News: Sendable, Equatable {
        /// How its job ended, once it has.
        var jobEnd: TrialJobEnd?
        var last: TrialObjective?
        /// The objective's history, where the stopping rule has something to decide.
        var points: [ObjectivePoint] = []
    }

    var sweep: SweepRecord
    /// Every trial, in order.
    var trials: [TrialRecord]
    /// By the number of the trial.
    var news: [Int: News]

    /// `nil` if there is no such sweep or it has ended.
    static func read(_ db: Transaction, _ id: SweepID) throws -> SweepSnapshot? {
        guard let sweep = try SweepQueries.find(db, id), !sweep.isEnded,
            let settings = sweep.definition.sweep
        else { return nil }
        let trials = try TrialQueries.list(db, of: id)
        let rule = try sweep.stopping.map { try SavedState.decode(EarlyStopping.self, $0) }
        var news: [Int: News] = [:]
        for trial in trials where trial.outcome == nil {
            news[trial.number] = try readNews(
                db, trial, metric: settings.objective.metric, rule: rule)
        }
        return SweepSnapshot(sweep: sweep, trials: trials, news: news)
    }

    /// The most points of one trial in one look, and the rest of their block.
    static let mostPoints = 50_000

    /// Costs one row while there is nothing to decide; at rungs, what was logged since the last.
    private static func readNews(
        _ db: Transaction, _ trial: TrialRecord, metric: String, rule: EarlyStopping?
    ) throws -> News {
        var news = News()
        if let job = try JobQueries.find(db, trial.job) {
            news.jobEnd = job.outcome.map(TrialJobEnd.init)
        } else {
            news.jobEnd = .failed(reason: "its job is not there any more")
        }
        guard let latest = try TrackingQueries.latestMetric(db, trial.run, key: metric) else {
            return news
        }
        news.last = TrialObjective(value: latest.value, step: latest.step)
        guard let rule, latest.step >= Int64(rule.nextStep(of: trial.number)) else { return news }
        let fresh = try TrackingQueries.points(
            db, trial.run, key: metric,
            after: rule.lastStep(of: trial.number).map(Int64.init) ?? .min, most: mostPoints)
        news.points = fresh.points
            .map { ObjectivePoint(step: Int($0.step), value: $0.value) }
            .enumerated().sorted { ($0.element.step, $0.offset) < ($1.element.step, $1.offset) }
            .map(\.element)
        // The rest is read at the next look, which these points make come; its end waits for it.
        if fresh.hasMore { news.jobEnd = nil }
        return news
    }
}

extension TrialJobEnd {
    init(_ outcome: JobOutcome) {
        switch outcome {
        case .succeeded: self = .succeeded
        case .failed(let failure): self = .failed(reason: failure.message)
        case .stopped: self = .stopped
        }
    }
}

extension SweepRecord {
    var isEnded: Bool { if case .ended = state { true } else { false } }
}
