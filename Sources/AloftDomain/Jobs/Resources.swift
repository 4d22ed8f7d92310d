/// What a job may use. `nil` means no limit of its own; what is limited is also what is reserved.
package struct Resources: Sendable, Hashable, Codable {
    /// Processor cores; more than 0.
    package var cpus: Double
    package var memoryBytes: Int64?
    package var gpus: Int
    /// The longest that an attempt's command may run.
    package var timeLimit: Duration?
    /// The most processes and threads at once in the job's tree.
    package var processes: Int?

    package init(
        cpus: Double = 1, memoryBytes: Int64? = nil, gpus: Int = 0, timeLimit: Duration? = nil,
        processes: Int? = nil
    ) {
        self.cpus = cpus
        self.memoryBytes = memoryBytes
        self.gpus = gpus
        self.timeLimit = timeLimit
        self.processes = processes
    }

    /// What is wrong with each member, in a person's words; empty if nothing is.
    package var faults: [String] {
        var faults: [String] = []
        if !(cpus > 0 && cpus <= 4096) { faults.append("cpus is \(cpus): expected more than 0") }
        if let memoryBytes, memoryBytes < 1 << 20 {
            faults.append("memory is \(memoryBytes) bytes: expected at least 1Mi")
        }
        if !(0...1024).contains(gpus) { faults.append("gpus is \(gpus): expected 0 or more") }
        if let timeLimit, timeLimit <= .zero { faults.append("time must be more than 0") }
        if let processes, processes < 1 {
            faults.append("processes is \(processes): expected at least 1")
        }
        return faults
    }
}
