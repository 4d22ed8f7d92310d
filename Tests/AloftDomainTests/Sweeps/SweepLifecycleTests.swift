import Testing

@testable import AloftDomain

/// Every pair of state and event. `nil` stands for a refusal.
struct SweepLifecycleTests {
    typealias Sweep = SweepLifecycle
    typealias Trial = TrialLifecycle

    static let sweepTable: [(Sweep.State, Sweep.Event, Sweep.State?, [Sweep.Effect])] = [
        (.running, .stopRequested, .closing(.stopped), [.cancelTrials]),
        (.running, .gaveUp(reason: "r"), .closing(.failed(reason: "r")), [.cancelTrials]),
        (.running, .settled(best: 3, fault: nil), .ended(.succeeded, best: 3), []),
        (.running, .settled(best: 3, fault: "f"), .ended(.failed(reason: "f"), best: 3), []),
        (
            .running, .settled(best: nil, fault: nil),
            .ended(.failed(reason: "no trial came to a value of the objective"), best: nil), []
        ),
        (.closing(.stopped), .stopRequested, .closing(.stopped), []),
        (.closing(.stopped), .gaveUp(reason: "r"), .closing(.stopped), []),
        (.closing(.stopped), .settled(best: 1, fault: nil), .ended(.stopped, best: 1), []),
        (
            .closing(.failed(reason: "r")), .settled(best: nil, fault: nil),
            .ended(.failed(reason: "r"), best: nil), []
        ),
        (.closing(.failed(reason: "r")), .stopRequested, .closing(.failed(reason: "r")), []),
        (.closing(.failed(reason: "r")), .gaveUp(reason: "s"), .closing(.failed(reason: "r")), []),
        (.ended(.succeeded, best: 1), .stopRequested, .ended(.succeeded, best: 1), []),
        (.ended(.succeeded, best: 1), .gaveUp(reason: "r"), nil, []),
        (.ended(.succeeded, best: 1), .settled(best: 1, fault: nil), nil, []),
    ]

    @Test(arguments: sweepTable.indices)
    func `a sweep moves as its table says`(row: Int) throws {
        let (state, event, expected, effects) = Self.sweepTable[row]
        var sweep = Sweep(state: state)
        if let expected {
            #expect(try sweep.apply(event) == effects)
            #expect(sweep.state == expected)
        } else {
            #expect(throws: Sweep.Refused(state: state, event: event)) { try sweep.apply(event) }
            #expect(sweep.state == state)
        }
    }

    static let point = TrialObjective(value: 0.7, step: 9)
    static let noNumber = TrialObjective(value: .infinity, step: 9)
    static let trialTable: [(Trial.State, Trial.Event, Trial.State?, [Trial.Effect])] = [
        (.running, .fellBehind(rung: 3), .stopping(rung: 3), [.stopJob]),
        (.running, .cancelled, .cancelling, [.stopJob]),
        (.running, .jobEnded(.succeeded, last: point), .ended(.succeeded(point)), []),
        (
            .running, .jobEnded(.succeeded, last: nil),
            .ended(.failed(reason: "the script logged no value of the objective")), []
        ),
        (
            .running, .jobEnded(.succeeded, last: noNumber),
            .ended(.failed(reason: "the objective's last value is no finite number")), []
        ),
        (
            .running, .jobEnded(.failed(reason: "exit 1"), last: point),
            .ended(.failed(reason: "exit 1")), []
        ),
        (.running, .jobEnded(.stopped, last: point), .ended(.cancelled), []),
        (.stopping(rung: 3), .fellBehind(rung: 9), nil, []),
        (.stopping(rung: 3), .cancelled, .stopping(rung: 3), []),
        (
            .stopping(rung: 3), .jobEnded(.stopped, last: point),
            .ended(.stoppedEarly(point, rung: 3)), []
        ),
        (
            .stopping(rung: 3), .jobEnded(.failed(reason: "exit 1"), last: point),
            .ended(.stoppedEarly(point, rung: 3)), []
        ),
        (.stopping(rung: 3), .jobEnded(.succeeded, last: point), .ended(.succeeded(point)), []),
        (.stopping(rung: 3), .jobEnded(.stopped, last: nil), .ended(.cancelled), []),
        (.cancelling, .fellBehind(rung: 3), .cancelling, []),
        (.cancelling, .cancelled, .cancelling, []),
        (.cancelling, .jobEnded(.succeeded, last: point), .ended(.succeeded(point)), []),
        (.cancelling, .jobEnded(.stopped, last: point), .ended(.cancelled), []),
        (.cancelling, .jobEnded(.failed(reason: "x"), last: nil), .ended(.cancelled), []),
        (.ended(.cancelled), .fellBehind(rung: 1), nil, []),
        (.ended(.cancelled), .cancelled, .ended(.cancelled), []),
        (.ended(.cancelled), .jobEnded(.stopped, last: nil), nil, []),
    ]

    @Test(arguments: trialTable.indices)
    func `a trial moves as its table says`(row: Int) throws {
        let (state, event, expected, effects) = Self.trialTable[row]
        var trial = Trial(state: state)
        if let expected {
            #expect(try trial.apply(event) == effects)
            #expect(trial.state == expected)
        } else {
            #expect(throws: Trial.Refused(state: state, event: event)) { try trial.apply(event) }
            #expect(trial.state == state)
        }
    }
}
