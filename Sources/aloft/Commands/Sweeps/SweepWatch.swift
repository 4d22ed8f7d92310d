import AloftClient
import AloftDomain
import AloftWire
import ArgumentParser

/// Follows a sweep to its end: a line for each trial that ends, on a terminal with a bar below.
struct SweepWatch {
    let client: ServerClient
    let json: Bool

    /// How long a server that does not answer is waited for: a restart must not end the watch.
    private static let patience = Duration.seconds(120)

    /// Returns when the sweep has succeeded.
    ///
    /// - Throws: `ExitCode` 1, after saying why, if it ends otherwise.
    func follow(_ first: SweepView) async throws {
        var sweep = first
        var shown: Set<Int> = []
        if !json { Terminal.note("sweep \(sweep.id): \(sweep.objective) by \(sweep.method)") }
        while true {
            show(sweep, &shown)
            if sweep.state.isEnded { break }
            try await Task.sleep(for: .milliseconds(500))
            sweep = try await patiently {
                try await client.call(GetSweep.self, path: ["sweep": first.id.rawValue])
            }
        }
        if json {
            try Terminal.json(sweep)
        } else {
            if Terminal.isInteractive { Terminal.redraw("") }
            Terminal.line(SweepText.table(sweep))
            Terminal.line(SweepText.summary(sweep))
        }
        if sweep.state != .succeeded { throw ExitCode(1) }
    }

    private func show(_ sweep: SweepView, _ shown: inout Set<Int>) {
        guard !json else { return }
        for trial in sweep.trials ?? [] where trial.endedAt != nil {
            guard shown.insert(trial.number).inserted else { continue }
            if Terminal.isInteractive { Terminal.redraw("") }
            Terminal.line(SweepText.line(trial, of: sweep))
        }
        if Terminal.isInteractive, !sweep.state.isEnded { Terminal.redraw(SweepText.bar(sweep)) }
    }

    private func patiently<Value>(_ call: () async throws -> Value) async throws -> Value {
        let deadline = ContinuousClock.now + Self.patience
        while true {
            do {
                return try await call()
            } catch let error as ClientError
                where error.isTransient && ContinuousClock.now < deadline
            {
                try await Task.sleep(for: .seconds(1))
            }
        }
    }
}
