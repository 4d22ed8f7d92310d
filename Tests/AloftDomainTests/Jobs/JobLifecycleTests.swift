import AloftDomain
import Foundation
import Testing

private typealias State = JobLifecycle.State
private typealias Event = JobLifecycle.Event
private typealias Effect = JobLifecycle.Effect

private let old = Date(timeIntervalSince1970: 1000)
private let new = Date(timeIntervalSince1970: 2000)
private let failedOne = JobOutcome.failed(.exited(code: 1))

/// What an event does in a state; `nil` where it is refused.
private struct Case: Sendable, CustomTestStringConvertible {
    let state: JobLifecycle.State
    let event: JobLifecycle.Event
    let next: JobLifecycle.State?
    let effects: [JobLifecycle.Effect]
    var testDescription: String { "\(event) in \(state)" }
}

/// Every state, in its second of three attempts, with every event.
private let states: [State] = [
    .queued(attempt: 2), .starting(attempt: 2, leaseUntil: old),
    .running(attempt: 2, leaseUntil: old), .stopping(attempt: 2, leaseUntil: old),
    .ended(attempt: 2, .succeeded),
]

private func same(_ state: State, _ event: Event) -> Case {
    Case(state: state, event: event, next: state, effects: [])
}

private func refused(_ state: State, _ event: Event) -> Case {
    Case(state: state, event: event, next: nil, effects: [])
}

private func ends(
    _ state: State, _ event: Event, _ outcome: JobOutcome, closing how: AttemptEnd? = nil
) -> Case {
    Case(
        state: state, event: event, next: .ended(attempt: 2, outcome),
        effects: (how.map { [.closeAttempt(2, $0)] } ?? []) + [.endRun(outcome), .endToken])
}

private let table: [Case] = {
    let (queued, starting, running) = (states[0], states[1], states[2])
    let (stopping, ended) = (states[3], states[4])
    var cases: [Case] = []

    let claim = Event.claimed(leaseUntil: new)
    cases.append(
        Case(
            state: queued, event: claim, next: .starting(attempt: 2, leaseUntil: new),
            effects: [.openAttempt(2)]))
    cases += states.dropFirst().map { refused($0, claim) }

    let impossible = Event.impossible(reason: "too big")
    cases.append(ends(queued, impossible, .failed(.notStarted(reason: "too big"))))
    cases += states.dropFirst().map { refused($0, impossible) }

    let started = Event.started(attempt: 2, leaseUntil: new)
    cases += [
        same(queued, started), same(ended, started),
        Case(
            state: starting, event: started, next: .running(attempt: 2, leaseUntil: new),
            effects: [.startRun]),
        Case(
            state: running, event: started, next: .running(attempt: 2, leaseUntil: new),
            effects: []),
        Case(
            state: stopping, event: started, next: .stopping(attempt: 2, leaseUntil: new),
            effects: []),
    ]

    let seen = Event.seen(attempt: 2, leaseUntil: new)
    cases += [
        same(queued, seen), same(ended, seen),
        Case(
            state: starting, event: seen, next: .starting(attempt: 2, leaseUntil: new), effects: []),
        Case(
            state: running, event: seen, next: .running(attempt: 2, leaseUntil: new), effects: []),
        Case(
            state: stopping, event: seen, next: .stopping(attempt: 2, leaseUntil: new), effects: []),
    ]

    cases += [
        ends(queued, .stopRequested, .stopped),
        Case(
            state: starting, event: .stopRequested,
            next: .stopping(attempt: 2, leaseUntil: old), effects: []),
        Case(
            state: running, event: .stopRequested,
            next: .stopping(attempt: 2, leaseUntil: old), effects: []),
        same(stopping, .stopRequested), same(ended, .stopRequested),
    ]

    for (how, outcome) in [
        (AttemptEnd.exited(code: 0), JobOutcome.succeeded), (.exited(code: 1), failedOne),
        (.stopped, .stopped), (.failed(.signalled(number: 9)), .failed(.signalled(number: 9))),
    ] {
        let event = Event.ended(attempt: 2, how)
        cases += [
            same(queued, event), ends(starting, event, outcome, closing: how),
            ends(running, event, outcome, closing: how),
            // A command that was done before the stop reached it has succeeded.
            ends(
                stopping, event, outcome == .succeeded ? .succeeded : .stopped, closing: how),
            same(ended, event),
        ]
    }

    let interrupted = AttemptEnd.interrupted(reason: "gone")
    for event in [Event.lost(attempt: 2, reason: "gone"), .ended(attempt: 2, interrupted)] {
        cases += [
            same(queued, event), same(ended, event),
            Case(
                state: starting, event: event, next: .queued(attempt: 3),
                effects: [.closeAttempt(2, interrupted)]),
            Case(
                state: running, event: event, next: .queued(attempt: 3),
                effects: [.closeAttempt(2, interrupted)]),
            ends(stopping, event, .stopped, closing: interrupted),
        ]
    }

    // News of the first attempt.
    for event in [
        Event.started(attempt: 1, leaseUntil: new), .seen(attempt: 1, leaseUntil: new),
        .ended(attempt: 1, .exited(code: 0)), .lost(attempt: 1, reason: "gone"),
    ] {
        cases += states.map { same($0, event) }
    }
    return cases
}()

struct JobLifecycleTests {
    @Test(arguments: table)
    fileprivate func `each event in each state does what the table says`(_ example: Case) throws {
        var lifecycle = JobLifecycle(maxAttempts: 3, state: example.state)
        if let next = example.next {
            let effects = try lifecycle.apply(example.event)
            #expect(lifecycle.state == next)
            #expect(effects == example.effects)
        } else {
            #expect(
                throws: JobLifecycle.Refused(state: example.state, event: example.event)
            ) { try lifecycle.apply(example.event) }
            #expect(lifecycle.state == example.state)
        }
    }

    @Test func `the last attempt lost ends the job`() throws {
        var lifecycle = JobLifecycle(
            maxAttempts: 2, state: .running(attempt: 2, leaseUntil: old))
        let effects = try lifecycle.apply(.lost(attempt: 2, reason: "gone"))
        let outcome = JobOutcome.failed(.lost(reason: "gone"))
        #expect(lifecycle.state == .ended(attempt: 2, outcome))
        #expect(
            effects == [
                .closeAttempt(2, .interrupted(reason: "gone")), .endRun(outcome), .endToken,
            ])
    }
}
