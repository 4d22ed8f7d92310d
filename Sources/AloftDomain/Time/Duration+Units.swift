extension Duration {
    /// The length in seconds.
    package var seconds: Double {
        let (seconds, attoseconds) = components
        return Double(seconds) + Double(attoseconds) * 1e-18
    }

    /// The length in microseconds.
    package var microseconds: Double { seconds * 1e6 }

    package static func minutes(_ count: Int) -> Duration { .seconds(count * 60) }
}
