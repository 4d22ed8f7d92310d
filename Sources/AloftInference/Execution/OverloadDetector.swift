import NIOCore

/// Whether there is overload, more requests than can be answered: a tenth or more of what came lately
/// was shed. A burst sheds few, and is over before the queue is shortened for it.
struct OverloadDetector {
    /// Of those who came, how many were shed or took another's place; what was longer ago counts
    /// less.
    private var share = 0.0
    private var last = NIODeadline.uptimeNanoseconds(0)

    private static let threshold = 0.1
    /// In this time what was counts half.
    private static let halvingNanoseconds = 5e8

    mutating func record(_ verdict: AdmissionPolicy.Verdict, _ now: NIODeadline) {
        let passed = max(0, Double((now - last).nanoseconds))
        let sample: Double
        switch verdict {
        case .admit, .refuseAsLate: sample = 0
        case .refuse, .admitInPlaceOf: sample = 1
        }
        share += (sample - share) * passed / (passed + Self.halvingNanoseconds)
        last = now
    }

    /// Where nobody comes any more it ends, too.
    func isOn(_ now: NIODeadline) -> Bool {
        let passed = max(0, Double((now - last).nanoseconds))
        return share * Self.halvingNanoseconds / (passed + Self.halvingNanoseconds) > Self.threshold
    }
}
