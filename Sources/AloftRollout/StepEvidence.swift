package import AloftDomain

/// What a step of a rollout is judged on: what came during it.
package struct StepEvidence: Sendable, Hashable {
    package var candidate: TrafficCount
    package var baseline: TrafficCount
    /// The candidate's share of the traffic in this step, in (0, 100).
    package var weightPercent: Double
    /// A latency that is slow for the baseline, in seconds, fixed before the step began; `nil` when
    /// too little was known of the baseline.
    package var slowSeconds: Double?

    package init(
        candidate: TrafficCount, baseline: TrafficCount, weightPercent: Double,
        slowSeconds: Double? = nil
    ) {
        self.candidate = candidate
        self.baseline = baseline
        self.weightPercent = weightPercent
        self.slowSeconds = slowSeconds
    }
}
