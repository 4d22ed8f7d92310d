/// How traffic moves to a new revision, as written down when the deploy was asked for: a later
/// change of the project file does not touch a rollout under way.
package struct RolloutPolicy: Sendable, Hashable, Codable {
    /// Percent of the traffic at each step: rising, the last is 100.
    package var stepsPercent: [Double]
    /// How long each step before the last is watched.
    package var hold: Duration
    /// The rollout is undone as soon as one of these holds.
    package var abort: [CheckExpression]
    /// Candidate and baseline are compared all the time by a test with this rate of false alarms in
    /// a whole rollout, in (0, 1); `nil`: they are not compared.
    package var falseAlarmRate: Double?
    /// Whether a step may end before `hold` has passed, once what came suffices to rule its abort
    /// conditions out.
    package var mayAdvanceEarly: Bool
    /// How far the distributions of both revisions' scores may be apart (Kolmogorov and Smirnov's
    /// distance, 0...1) before the rollout is undone; `nil`: however far.
    package var scoreShift: Double?
    /// A step does not end by its time before the candidate answered so many requests in it; 0: it
    /// does, and says what it saw.
    package var atLeast: Int
    /// An A/B experiment: stays at its first step until a person ends it. Still undone by harm.
    package var isExperiment: Bool
    /// Whether its inputs may be others than those of the revision that is live.
    package var isBreaking: Bool

    /// A change of a fifth is no retraining's usual doing, and what a broken feature often does.
    package static let standardScoreShift = 0.2

    package init(
        stepsPercent: [Double], hold: Duration, abort: [CheckExpression] = [],
        falseAlarmRate: Double? = 0.01, mayAdvanceEarly: Bool = false,
        scoreShift: Double? = standardScoreShift, atLeast: Int = 0, isExperiment: Bool = false,
        isBreaking: Bool = false
    ) {
        precondition(stepsPercent.last == 100, "the last step is 100 %")
        self.stepsPercent = stepsPercent
        self.hold = hold
        self.abort = abort
        self.falseAlarmRate = falseAlarmRate
        self.mayAdvanceEarly = mayAdvanceEarly
        self.scoreShift = scoreShift
        self.atLeast = atLeast
        self.isExperiment = isExperiment
        self.isBreaking = isBreaking
    }

    package init(_ definition: RolloutDefinition) {
        self.init(
            stepsPercent: definition.stepsPercent, hold: definition.hold, abort: definition.abort,
            scoreShift: definition.scoreShift, atLeast: definition.atLeast)
    }

    /// The same watch over a split that no time ends.
    ///
    /// - Parameter percent: the candidate's share, in (0, 100).
    package func experiment(percent: Double) -> RolloutPolicy {
        precondition(percent > 0 && percent < 100, "both get traffic")
        return RolloutPolicy(
            stepsPercent: [percent, 100], hold: hold, abort: abort,
            falseAlarmRate: falseAlarmRate, scoreShift: scoreShift, isExperiment: true,
            isBreaking: isBreaking)
    }

    /// All traffic in one move.
    package static let atOnce = RolloutPolicy(stepsPercent: [100], hold: .zero)

    /// Where no project file says otherwise: 10 %, 50 %, 100 %, half a minute each.
    package static let standard = RolloutPolicy(stepsPercent: [10, 50, 100], hold: .seconds(30))

    /// How many steps there are before the one at 100 %.
    package var watchedSteps: Int { stepsPercent.count - 1 }

    package var isAtOnce: Bool { stepsPercent.count == 1 }
}

extension RolloutPolicy {
    private enum CodingKeys: String, CodingKey {
        case stepsPercent, holdSeconds, abort, falseAlarmRate, mayAdvanceEarly, scoreShift
        case atLeast, isExperiment, isBreaking
    }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        stepsPercent = try container.decode([Double].self, forKey: .stepsPercent)
        let seconds = try container.decode(Double.self, forKey: .holdSeconds)
        hold = .nanoseconds(Int64((seconds * 1e9).rounded()))
        abort = try container.decode([CheckExpression].self, forKey: .abort)
        falseAlarmRate = try container.decodeIfPresent(Double.self, forKey: .falseAlarmRate)
        mayAdvanceEarly = try container.decode(Bool.self, forKey: .mayAdvanceEarly)
        scoreShift = try container.decodeIfPresent(Double.self, forKey: .scoreShift)
        atLeast = try container.decodeIfPresent(Int.self, forKey: .atLeast) ?? 0
        isExperiment = try container.decodeIfPresent(Bool.self, forKey: .isExperiment) ?? false
        isBreaking = try container.decodeIfPresent(Bool.self, forKey: .isBreaking) ?? false
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(stepsPercent, forKey: .stepsPercent)
        try container.encode(hold.seconds, forKey: .holdSeconds)
        try container.encode(abort, forKey: .abort)
        try container.encodeIfPresent(falseAlarmRate, forKey: .falseAlarmRate)
        try container.encode(mayAdvanceEarly, forKey: .mayAdvanceEarly)
        try container.encodeIfPresent(scoreShift, forKey: .scoreShift)
        if atLeast > 0 { try container.encode(atLeast, forKey: .atLeast) }
        if isExperiment { try container.encode(true, forKey: .isExperiment) }
        if isBreaking { try container.encode(true, forKey: .isBreaking) }
    }
}
