/// What an attempt used since the sample before.
package struct UsageSample: Codable, Sendable, Equatable {
    /// Since the attempt began.
    package var seconds: Double
    /// Processor cores in use, on average.
    package var cpus: Double
    package var memoryBytes: Int64

    package init(seconds: Double, cpus: Double, memoryBytes: Int64) {
        self.seconds = seconds
        self.cpus = cpus
        self.memoryBytes = memoryBytes
    }
}
