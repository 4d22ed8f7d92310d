/// Single flight. Work under way, by what it makes: whoever asks for the same meanwhile waits for the
/// same result instead of doing it again. What has ended is forgotten, a failure too.
actor SharedWork<Key: Hashable & Sendable> {
    private var underWay: [Key: Task<Void, any Error>] = [:]

    /// Does `work` unless it is under way for `key`; returns, or throws, as that did.
    ///
    /// The work goes on when a caller is cancelled: others may wait for it.
    func once(for key: Key, _ work: @escaping @Sendable () async throws -> Void) async throws {
        if let task = underWay[key] { return try await task.value }
        let task = Task { try await work() }
        underWay[key] = task
        defer { underWay[key] = nil }
        try await task.value
    }
}
