import AloftDomain

/// What a pool has to give.
package struct Capacity: Sendable, Equatable, Codable {
    package var cpus: Double
    package var memoryBytes: Int64
    /// The names of its GPUs, by which programs see them.
    package var gpuSlots: [String]

    package init(cpus: Double, memoryBytes: Int64, gpuSlots: [String] = []) {
        self.cpus = cpus
        self.memoryBytes = memoryBytes
        self.gpuSlots = gpuSlots
    }
}

/// A sum of what jobs reserve.
struct Reservation: Equatable {
    var cpus = 0.0
    var memoryBytes: Int64 = 0
    var gpus = 0

    static func += (sum: inout Reservation, resources: Resources) {
        sum.cpus += resources.cpus
        sum.memoryBytes += resources.memoryBytes ?? 0
        sum.gpus += resources.gpus
    }

    /// The largest share of any resource (Ghodsi et al., "Dominant resource fairness", NSDI 2011).
    func dominantShare(of capacity: Capacity) -> Double {
        var share = capacity.cpus > 0 ? cpus / capacity.cpus : 0
        if capacity.memoryBytes > 0 {
            share = max(share, Double(memoryBytes) / Double(capacity.memoryBytes))
        }
        if !capacity.gpuSlots.isEmpty {
            share = max(share, Double(gpus) / Double(capacity.gpuSlots.count))
        }
        return share
    }
}
