package import AloftCompute
package import AloftDomain
package import Foundation
import Synchronization

/// An executor without processes. What an attempt does is its command: `exit N` runs for one look
/// and ends; `sleep` runs until it is stopped; `deaf` too, and only heeds the third look after;
/// `stuck` never gets ready; `lose` is lost after one look; `broken` cannot be begun. It keeps its attempts when a controller
/// ends, as processes would.
package final class FakeExecutor: Executor {
    package struct Unreachable: Error {}

    private struct Attempt {
        var launch: JobLaunch
        var looks = 0
        var looksSinceStop: Int?
        var end: AttemptObservation?

        mutating func look() -> AttemptObservation {
            if let end { return end }
            looks += 1
            var observation = FakeExecutor.observation(launch.command, looks: looks)
            if let looks = looksSinceStop {
                looksSinceStop = looks + 1
                if launch.command != "deaf" || looks >= 2 {
                    observation = FakeExecutor.ended(.stopped)
                }
            }
            if case .ended = observation { end = observation }
            return observation
        }
    }

    private struct State {
        var attempts: [AttemptID: Attempt] = [:]
        var starts: [AttemptID: Int] = [:]
        var isUnreachable = false
        var refusal: ComputeError?
    }

    private let state = Mutex(State())

    package init() {}

    /// While set, nothing is known of any attempt.
    package var isUnreachable: Bool {
        get { state.withLock { $0.isUnreachable } }
        set { state.withLock { $0.isUnreachable = newValue } }
    }

    /// While set, no attempt begins.
    package var refusal: ComputeError? {
        get { state.withLock { $0.refusal } }
        set { state.withLock { $0.refusal = newValue } }
    }

    /// How often each attempt truly began.
    package var starts: [AttemptID: Int] { state.withLock { $0.starts } }

    /// The launch of an attempt that began.
    package func launch(of attempt: AttemptID) -> JobLaunch? {
        state.withLock { $0.attempts[attempt]?.launch }
    }

    package func start(_ launch: JobLaunch) async throws {
        try state.withLock { state in
            if let refusal = state.refusal { throw refusal }
            if launch.command == "broken" { throw Unreachable() }
            guard state.attempts[launch.attempt] == nil else { return }
            state.attempts[launch.attempt] = Attempt(launch: launch)
            state.starts[launch.attempt, default: 0] += 1
        }
    }

    package func observe(_ attempt: AttemptID) async throws -> AttemptObservation {
        try state.withLock { state in
            if state.isUnreachable { throw Unreachable() }
            guard var found = state.attempts[attempt] else { return .absent }
            defer { state.attempts[attempt] = found }
            return found.look()
        }
    }

    private static func ended(_ end: AttemptEnd) -> AttemptObservation {
        .ended(AttemptReport(end: end, peakMemoryBytes: 1 << 20, cpuSeconds: 0.25))
    }

    private static func observation(_ command: String, looks: Int) -> AttemptObservation {
        if command.hasPrefix("exit "), let code = Int32(command.dropFirst(5)) {
            return looks == 1 ? .running : ended(.exited(code: code))
        }
        switch command {
        case "stuck": return .preparing
        case "lose": return looks == 1 ? .running : .lost(reason: "it was lost")
        default: return .running
        }
    }

    package func stop(_ attempt: AttemptID, grace: Duration) async throws {
        state.withLock { state in
            guard let found = state.attempts[attempt], found.end == nil,
                found.looksSinceStop == nil
            else { return }
            state.attempts[attempt]?.looksSinceStop = 0
        }
    }

    package func log(
        _ attempt: AttemptID, from offset: Int64, limit: Int
    ) async throws -> Data {
        let command = state.withLock { $0.attempts[attempt]?.launch.command }
        return Data((command.map { "\($0)\n" } ?? "").utf8).dropFirst(Int(offset)).prefix(limit)
    }

    package func isolation(_ attempt: AttemptID) async throws -> String? { "none" }

    package func usage(_ attempt: AttemptID) async throws -> [UsageSample] { [] }

    package func forget(_ attempt: AttemptID) async throws {}
}
