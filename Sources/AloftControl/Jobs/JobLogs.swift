package import AloftCompute
package import AloftDomain
package import AloftStore
import Foundation

/// What jobs wrote and used, read from their executor.
package struct JobLogs: Sendable {
    package struct Chunk: Sendable, Equatable {
        package var attempt: Int
        package var text: String
        package var nextOffset: Int64
        package var isComplete: Bool
    }

    private let store: Store
    private let executor: any Executor
    private let time: TimeSource

    package init(store: Store, executor: any Executor, time: TimeSource) {
        self.store = store
        self.executor = executor
        self.time = time
    }

    /// The log of an attempt (the newest if `attempt` is `nil`) from byte `offset` on. Where there
    /// is nothing yet, waits until there is, the attempt ends, or `wait` is over.
    ///
    /// - Throws: `JobError` if there is no such job or attempt.
    package func read(
        _ id: JobID, attempt: Int?, from offset: Int64, limit: Int, wait: Duration
    ) async throws -> Chunk {
        var left = wait
        while true {
            let chunk = try await look(id, attempt: attempt, from: offset, limit: limit)
            guard chunk.text.isEmpty, !chunk.isComplete, left > .zero else { return chunk }
            let pause = min(left, .milliseconds(100))
            try await time.clock.sleep(for: pause)
            left -= pause
        }
    }

    private func look(
        _ id: JobID, attempt: Int?, from offset: Int64, limit: Int
    ) async throws -> Chunk {
        // The state is read before the log: what an ended attempt wrote is all there.
        let job = try await store.read { try JobQueries.get($0, id) }
        let number = attempt ?? job.state.attempt
        guard (1...job.state.attempt).contains(number) else {
            throw JobError.noSuchAttempt(id, attempt: number)
        }
        let hasEnded = job.outcome != nil || number < job.state.attempt
        let data = try await executor.log(
            AttemptID(job: id, number: number), from: offset, limit: limit)
        let isAll = hasEnded && data.count < limit
        let whole = isAll ? data : data.prefix(Self.wholeCharacters(data))
        return Chunk(
            attempt: number, text: String(decoding: whole, as: UTF8.self),
            nextOffset: offset + Int64(whole.count), isComplete: isAll)
    }

    /// The last lines of the newest attempt's log.
    package func tail(_ id: JobID, attempt: Int, lines: Int) async throws -> String {
        let attempt = AttemptID(job: id, number: attempt)
        var offset: Int64 = 0
        var window = Data()
        // The log's length is not known: it is read through in pieces, keeping the end.
        while true {
            let data = try await executor.log(attempt, from: offset, limit: 1 << 20)
            if data.isEmpty { break }
            offset += Int64(data.count)
            window = (window + data).suffix(16 << 10)
        }
        return String(decoding: window, as: UTF8.self)
            .pieces(at: "\n", keepingEmpty: true).suffix(lines + 1)
            .joined(separator: "\n").trimmingCharacters(in: .newlines)
    }

    /// How an attempt is isolated; `nil` before it begins.
    package func isolation(_ id: JobID, attempt: Int) async throws -> String? {
        try await executor.isolation(AttemptID(job: id, number: attempt))
    }

    package func usage(_ id: JobID, attempt: Int?) async throws -> (Int, [UsageSample]) {
        let job = try await store.read { try JobQueries.get($0, id) }
        let number = attempt ?? job.state.attempt
        return (number, try await executor.usage(AttemptID(job: id, number: number)))
    }

    /// How many bytes end with a whole UTF-8 character.
    static func wholeCharacters(_ data: Data) -> Int {
        for back in 1...4 where back <= data.count {
            let byte = data[data.endIndex - back]
            guard byte & 0xC0 != 0x80 else { continue }
            let length = byte < 0x80 ? 1 : byte >= 0xF0 ? 4 : byte >= 0xE0 ? 3 : 2
            return length > back ? data.count - back : data.count
        }
        return data.count
    }
}
