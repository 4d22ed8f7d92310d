import AloftCompute
import AloftDomain
import AloftTestKit
import Foundation
import Testing

/// What every executor must do. `docs/lifecycles/job.md` says why.
@Suite(.serialized) struct ExecutorContractTests {
    enum Kind: String, CaseIterable, Sendable { case fake, local }

    /// Holds the folders of a local executor as long as it is used.
    struct Subject {
        let executor: any Executor
        let world: ExecutorWorld?

        init(_ kind: Kind) throws {
            switch kind {
            case .fake:
                executor = FakeExecutor()
                world = nil
            case .local:
                let world = try ExecutorWorld()
                executor = world.executor
                self.world = world
            }
        }

        let attempt = AttemptID(
            job: JobID("contract\(UInt32.random(in: 0...UInt32.max))"), number: 1)

        func start(_ command: String) async throws {
            try await executor.start(JobLaunch(attempt: attempt, command: command))
        }

        func wait(
            until isDone: (AttemptObservation) -> Bool
        ) async throws -> AttemptObservation {
            var observation = AttemptObservation.absent
            _ = try await happens {
                observation = try await executor.observe(attempt)
                return isDone(observation)
            }
            return observation
        }

        func end() async throws -> AttemptEnd? {
            let last = try await wait { if case .ended = $0 { true } else { false } }
            if case .ended(let report) = last { return report.end }
            Issue.record("it did not end: \(last)")
            return nil
        }
    }

    @Test(arguments: Kind.allCases)
    func `an attempt that never began is absent, and may be stopped and forgotten`(
        _ kind: Kind
    ) async throws {
        let subject = try Subject(kind)
        #expect(try await subject.executor.observe(subject.attempt) == .absent)
        try await subject.executor.stop(subject.attempt, grace: .seconds(1))
        try await subject.executor.forget(subject.attempt)
        #expect(try await subject.executor.observe(subject.attempt) == .absent)
        #expect(try await subject.executor.log(subject.attempt, from: 0, limit: 10).isEmpty)
    }

    @Test(arguments: Kind.allCases, [Int32(0), 3])
    func `an exit status comes back, and stays`(_ kind: Kind, code: Int32) async throws {
        let subject = try Subject(kind)
        try await subject.start("exit \(code)")
        #expect(try await subject.end() == .exited(code: code))
        try await subject.executor.stop(subject.attempt, grace: .zero)
        try await subject.executor.forget(subject.attempt)
        #expect(try await subject.end() == .exited(code: code))
        try await subject.start("exit 9")
        #expect(try await subject.end() == .exited(code: code))
    }

    @Test(arguments: Kind.allCases)
    func `a stop ends what runs, and asked twice ends it once`(_ kind: Kind) async throws {
        let subject = try Subject(kind)
        try await subject.start("sleep 300")
        #expect(try await subject.wait { $0 == .running } == .running)
        try await subject.executor.stop(subject.attempt, grace: .seconds(5))
        try await subject.executor.stop(subject.attempt, grace: .seconds(5))
        #expect(try await subject.end() == .stopped)
    }
}
