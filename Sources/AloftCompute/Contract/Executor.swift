package import AloftDomain

package import struct Foundation.Data

/// Where jobs run. Every call names an attempt; what it does twice is done once, so that a
/// controller that was killed between a call and its record simply calls again.
package protocol Executor: Sendable {
    /// Makes the attempt begin, unless it has already. Returns without waiting for it.
    func start(_ launch: JobLaunch) async throws
    /// What is known of the attempt. Never waits for it.
    func observe(_ attempt: AttemptID) async throws -> AttemptObservation
    /// Asks the attempt to end: SIGTERM to its whole tree, SIGKILL after `grace`. `observe` tells
    /// when it has. Does nothing to an attempt that never began or has ended.
    func stop(_ attempt: AttemptID, grace: Duration) async throws
    /// What the attempt wrote, from byte `offset` on, at most `limit` bytes. Can be read while the
    /// attempt runs and after it ended.
    func log(_ attempt: AttemptID, from offset: Int64, limit: Int) async throws -> Data
    /// How the attempt is isolated, such as `namespaces`; `nil` before it began, or where nobody wrote
    /// it down.
    func isolation(_ attempt: AttemptID) async throws -> String?
    /// What the attempt used over time, oldest first.
    func usage(_ attempt: AttemptID) async throws -> [UsageSample]
    /// Frees what an ended attempt still holds beside its log.
    func forget(_ attempt: AttemptID) async throws
}

/// All that an executor needs to run one attempt.
package struct JobLaunch: Codable, Sendable, Equatable {
    package var attempt: AttemptID
    /// For `/bin/sh -c`.
    package var command: String
    /// Beside what the executor's machine gives every job.
    package var variables: [String: String]
    package var snapshot: Snapshot?
    package var python: PythonEnvironment?
    package var resources: Resources
    /// The GPUs that it may see.
    package var gpuSlots: [String]
    package var stopGrace: Duration
    /// Values that its log must not show.
    package var masked: [String]?

    /// The code: a tar, checked by its digest.
    package struct Snapshot: Codable, Sendable, Equatable {
        package var digest: ContentDigest
        package var path: String

        package init(digest: ContentDigest, path: String) {
            self.digest = digest
            self.path = path
        }
    }

    package init(
        attempt: AttemptID, command: String, variables: [String: String] = [:],
        snapshot: Snapshot? = nil, python: PythonEnvironment? = nil,
        resources: Resources = Resources(), gpuSlots: [String] = [],
        stopGrace: Duration = .seconds(10), masked: [String]? = nil
    ) {
        self.masked = masked
        self.attempt = attempt
        self.command = command
        self.variables = variables
        self.snapshot = snapshot
        self.python = python
        self.resources = resources
        self.gpuSlots = gpuSlots
        self.stopGrace = stopGrace
    }
}

package enum AttemptObservation: Sendable, Equatable {
    /// It never began.
    case absent
    /// Its code and Python environment are made ready.
    case preparing
    case running
    case ended(AttemptReport)
    /// It began, its keeper is gone, and nobody wrote down how it ended.
    case lost(reason: String)
}

/// How an attempt ended and what it used.
package struct AttemptReport: Codable, Sendable, Equatable {
    package var end: AttemptEnd
    package var peakMemoryBytes: Int64
    package var cpuSeconds: Double
    /// The digest of its Python environment.
    package var environment: ContentDigest?

    package init(
        end: AttemptEnd, peakMemoryBytes: Int64 = 0, cpuSeconds: Double = 0,
        environment: ContentDigest? = nil
    ) {
        self.end = end
        self.peakMemoryBytes = peakMemoryBytes
        self.cpuSeconds = cpuSeconds
        self.environment = environment
    }
}

/// Why an executor cannot do what it is asked.
package enum ComputeError: Refusal, Equatable {
    case cannotStart(reason: String)
    case digestMismatch(expected: ContentDigest, actual: ContentDigest)
    case unpackFailed(reason: String)
    case environmentFailed(reason: String)

    package var code: String {
        switch self {
        case .cannotStart: "job_cannot_start"
        case .digestMismatch: "snapshot_damaged"
        case .unpackFailed: "snapshot_unreadable"
        case .environmentFailed: "environment_failed"
        }
    }

    package var kind: RefusalKind {
        switch self {
        case .cannotStart: .unavailable
        case .digestMismatch, .unpackFailed, .environmentFailed: .invalid
        }
    }

    package var message: String {
        switch self {
        case .cannotStart(let reason): reason
        case .digestMismatch(let expected, let actual):
            "the code's blob is damaged: its digest is \(actual), not \(expected)"
        case .unpackFailed(let reason): "the code could not be unpacked: \(reason)"
        case .environmentFailed(let reason):
            "the Python environment could not be built: \(reason)"
        }
    }
}
