/// What both revisions of a rollout are called in reasons.
package struct RolloutNames: Sendable, Hashable {
    package var candidate: String
    package var baseline: String

    package init(
        candidate: String = "the new revision", baseline: String = "the revision before"
    ) {
        self.candidate = candidate
        self.baseline = baseline
    }
}
