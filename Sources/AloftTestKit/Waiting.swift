/// What was waited for and did not happen: the test fails by throwing it.
package struct NeverHappened: Error, CustomStringConvertible {
    package let what: String
    package var description: String { "waited in vain for \(what)" }
}

/// Waits until something outside of this process, or on another thread, is so: the only place where
/// tests spend real time. What runs on a `TimeSource` gets `ManualTime` instead.
///
/// Asks again and again, and says whether it was so within the limit. A busy machine only takes
/// longer: the limit is for what never comes.
package func happens(
    within limit: Duration = .seconds(600), asking pause: Duration = .milliseconds(20),
    _ isSo: () async throws -> Bool
) async throws -> Bool {
    let clock = ContinuousClock()
    let end = clock.now.advanced(by: limit)
    while try await !isSo() {
        if clock.now >= end { return false }
        try await clock.sleep(for: pause)
    }
    return true
}

/// As `happens`, and throws `NeverHappened` where it was not so in time.
package func eventually(
    _ what: String, within limit: Duration = .seconds(600),
    asking pause: Duration = .milliseconds(20), _ isSo: () async throws -> Bool
) async throws {
    guard try await happens(within: limit, asking: pause, isSo) else {
        throw NeverHappened(what: what)
    }
}
