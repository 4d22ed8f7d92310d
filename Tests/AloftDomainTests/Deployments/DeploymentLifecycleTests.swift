import Foundation
import Testing

@testable import AloftDomain

struct RevisionLifecycleTests {
    private typealias State = RevisionLifecycle.State
    private typealias Event = RevisionLifecycle.Event

    private static let end = RevisionEnd.aborted(reason: "error_rate")
    private static let states: [State] = [
        .waiting, .warming, .rolling, .live, .standby, .ended(.retired),
    ]
    private static let events: [Event] = [
        .admitted, .rejected(reason: "r"), .failed(reason: "f"), .released(byRollout: true),
        .released(byRollout: false), .promoted, .withdrawn(end), .replaced, .retired,
        .rolledBack(reason: "b"), .restored,
    ]

    /// Every pair that may happen; all others are refused.
    private static let table: [(State, Event, State, [RevisionLifecycle.Effect])] = [
        (.waiting, .admitted, .warming, []),
        (.waiting, .rejected(reason: "r"), .ended(.rejected(reason: "r")), []),
        (.waiting, .failed(reason: "f"), .ended(.failed(reason: "f")), []),
        (.waiting, .withdrawn(end), .ended(end), []),
        (.warming, .rejected(reason: "r"), .ended(.rejected(reason: "r")), []),
        (.warming, .failed(reason: "f"), .ended(.failed(reason: "f")), []),
        (.warming, .released(byRollout: true), .rolling, [.openRollout]),
        (.warming, .released(byRollout: false), .live, [.takeOver]),
        (.warming, .withdrawn(end), .ended(end), []),
        (.rolling, .promoted, .live, [.closeRollout, .takeOver]),
        (.rolling, .withdrawn(end), .ended(end), [.closeRollout]),
        (.live, .replaced, .standby, []),
        (.live, .rolledBack(reason: "b"), .ended(.rolledBack(reason: "b")), []),
        (.standby, .retired, .ended(.retired), []),
        (.standby, .restored, .live, []),
    ]

    @Test func `every pair of state and event does what the table says or is refused`() throws {
        var allowed = 0
        for state in Self.states {
            for event in Self.events {
                var lifecycle = RevisionLifecycle(state: state)
                if let row = Self.table.first(where: { $0.0 == state && $0.1 == event }) {
                    let effects = try lifecycle.apply(event)
                    #expect(lifecycle.state == row.2)
                    #expect(effects == row.3)
                    allowed += 1
                } else {
                    #expect(throws: RevisionLifecycle.Refused(state: state, event: event)) {
                        _ = try lifecycle.apply(event)
                    }
                    #expect(lifecycle.state == state)
                }
            }
        }
        #expect(allowed == Self.table.count)
    }

    @Test(arguments: RevisionEnd.Name.allCases)
    func `an end keeps its name and reason`(name: RevisionEnd.Name) {
        let end = RevisionEnd(name, reason: "because")
        #expect(end.name == name)
        #expect(end == .retired || end.reason == "because")
    }
}

struct RolloutLifecycleTests {
    private let begin = Date(timeIntervalSince1970: 1_700_000_000)

    private func make(_ state: RolloutLifecycle.State, steps: Int = 2) -> RolloutLifecycle {
        RolloutLifecycle(stepCount: steps, state: state)
    }

    @Test func `a rollout goes through its steps and is promoted`() throws {
        var rollout = make(.running(step: 0, since: begin))
        let later = begin.addingTimeInterval(10)
        #expect(try rollout.apply(.advanced(at: later)) == [.closeStep(0), .openStep(1)])
        #expect(rollout.state == .running(step: 1, since: later))
        #expect(try rollout.apply(.promoted) == [.closeStep(1)])
        #expect(rollout.state == .promoted(step: 1))
    }

    @Test func `the time of a pause does not count`() throws {
        var rollout = make(.running(step: 0, since: begin))
        _ = try rollout.apply(.paused(at: begin.addingTimeInterval(5)))
        _ = try rollout.apply(.paused(at: begin.addingTimeInterval(8)))
        _ = try rollout.apply(.resumed(at: begin.addingTimeInterval(25)))
        #expect(rollout.state == .running(step: 0, since: begin.addingTimeInterval(20)))
        #expect(try rollout.apply(.resumed(at: begin.addingTimeInterval(30))) == [])
    }

    @Test func `a step's time begins when every gateway follows, also while it is paused`() throws {
        let later = begin.addingTimeInterval(7)
        var rollout = make(.running(step: 0, since: begin))
        #expect(try rollout.apply(.followed(at: later)) == [.beginStep(0)])
        #expect(rollout.state == .running(step: 0, since: later))
        rollout = make(.paused(step: 1, since: begin, pausedAt: begin))
        #expect(try rollout.apply(.followed(at: later)) == [.beginStep(1)])
        _ = try rollout.apply(.resumed(at: later.addingTimeInterval(30)))
        #expect(rollout.state == .running(step: 1, since: later.addingTimeInterval(30)))
    }

    @Test func `a paused rollout may be promoted or aborted, not advanced`() throws {
        let paused = RolloutLifecycle.State.paused(step: 0, since: begin, pausedAt: begin)
        var rollout = make(paused)
        #expect(throws: RolloutLifecycle.Refused.self) {
            _ = try rollout.apply(.advanced(at: begin))
        }
        #expect(try rollout.apply(.aborted(reason: "r")) == [.closeStep(0)])
        #expect(rollout.state == .aborted(step: 0, reason: "r"))
        rollout = make(paused)
        #expect(try rollout.apply(.promoted) == [.closeStep(0)])
    }

    @Test func `the last watched step is not advanced but promoted`() {
        var rollout = make(.running(step: 1, since: begin))
        #expect(throws: RolloutLifecycle.Refused.self) {
            _ = try rollout.apply(.advanced(at: begin))
        }
    }

    @Test func `what is over stays over`() {
        let events: [RolloutLifecycle.Event] = [
            .advanced(at: begin), .promoted, .aborted(reason: "r"), .paused(at: begin),
            .resumed(at: begin), .followed(at: begin),
        ]
        for state in [
            RolloutLifecycle.State.promoted(step: 1), .aborted(step: 0, reason: "r"),
        ] {
            for event in events {
                var rollout = make(state)
                #expect(throws: RolloutLifecycle.Refused.self) { _ = try rollout.apply(event) }
                #expect(rollout.state == state)
            }
        }
    }
}

struct ServableLifecycleTests {
    private let job = JobID("j1")
    private let failure = ConversionFailure(reason: "no converter", lastLines: "Traceback")

    private func servable(_ digit: Character) throws -> Servable {
        let digest = try #require(ContentDigest(hex: String(repeating: digit, count: 64)))
        return Servable(
            digest: digest, sizeBytes: 1,
            manifest: ServableManifest(runtime: .onnx, inputs: [], outputs: []))
    }

    @Test func `a conversion ends with an upload`() throws {
        var lifecycle = ServableLifecycle()
        #expect(try lifecycle.apply(.jobCreated(job)) == [])
        #expect(try lifecycle.apply(.uploaded(servable("a"))) == [.wakeDeployments])
        #expect(lifecycle.state == .ready(try servable("a")))
        #expect(try lifecycle.apply(.jobFailed(job, failure)) == [], "the upload counts")
        #expect(lifecycle.state.name == .ready)
    }

    @Test func `a failed conversion can be tried again`() throws {
        var lifecycle = ServableLifecycle()
        _ = try lifecycle.apply(.jobCreated(job))
        #expect(try lifecycle.apply(.jobFailed(job, failure)) == [.wakeDeployments])
        #expect(lifecycle.state == .failed(failure))
        _ = try lifecycle.apply(.retried)
        #expect(lifecycle.state == .pending)
    }

    @Test func `news of a job that was replaced is ignored`() throws {
        var lifecycle = ServableLifecycle(state: .converting(job))
        #expect(try lifecycle.apply(.jobFailed(JobID("j0"), failure)) == [])
        #expect(lifecycle.state == .converting(job))
    }

    @Test func `one version has one conversion at a time`() throws {
        for state in [
            ServableLifecycle.State.converting(job), .ready(try servable("a")), .failed(failure),
        ] {
            var lifecycle = ServableLifecycle(state: state)
            #expect(throws: ServableLifecycle.Refused.self) {
                _ = try lifecycle.apply(.jobCreated(JobID("j2")))
            }
        }
    }
}

struct ModelReferenceTests {
    @Test(arguments: [
        ("flight-delay/3", "flight-delay", ModelReference.Selector.version(3)),
        ("flight-delay@champion", "flight-delay", .alias("champion")),
        ("models:/flight delay/12", "flight delay", .version(12)),
        ("models:/a@b@c", "a@b", .alias("c")),
    ])
    func `both forms are read`(text: String, model: String, selector: ModelReference.Selector) {
        let reference = ModelReference(text)
        #expect(reference?.model == model)
        #expect(reference?.selector == selector)
    }

    @Test(arguments: ["", "x", "x/", "/3", "x/0", "x/-1", "x/three", "@a", "x@"])
    func `anything else is refused`(text: String) { #expect(ModelReference(text) == nil) }

    @Test func `endpoints are named after their environment except in production`() {
        #expect(EndpointName.text(deployment: "d", environment: "production") == "d")
        #expect(EndpointName.text(deployment: "d", environment: "staging") == "d.staging")
        #expect(!EndpointName.isDeployment("a.b"))
        #expect(!EndpointName.isDeployment(""))
        #expect(!EndpointName.isEnvironment("Staging"))
    }
}
