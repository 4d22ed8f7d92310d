package import AloftDomain
import Foundation

/// What the scheduler knows: the pool, who holds a place in it, and who waits.
package struct JobSnapshot: Sendable, Equatable {
    package struct Placed: Sendable, Equatable {
        package var job: JobID
        package var project: ProjectID
        package var group: JobGroup?
        package var resources: Resources
        package var gpuSlots: [String]

        package init(
            job: JobID, project: ProjectID, group: JobGroup?, resources: Resources,
            gpuSlots: [String]
        ) {
            self.job = job
            self.project = project
            self.group = group
            self.resources = resources
            self.gpuSlots = gpuSlots
        }
    }

    package struct Waiting: Sendable, Equatable {
        package var job: JobID
        package var project: ProjectID
        package var group: JobGroup?
        package var resources: Resources
        package var priority: Int
        /// How long it has waited.
        package var waited: Duration

        package init(
            job: JobID, project: ProjectID, group: JobGroup?, resources: Resources, priority: Int,
            waited: Duration
        ) {
            self.job = job
            self.project = project
            self.group = group
            self.resources = resources
            self.priority = priority
            self.waited = waited
        }
    }

    package var capacity: Capacity
    package var placed: [Placed]
    /// Oldest first.
    package var waiting: [Waiting]

    package init(capacity: Capacity, placed: [Placed], waiting: [Waiting]) {
        self.capacity = capacity
        self.placed = placed
        self.waiting = waiting
    }
}

package struct JobPlan: Sendable, Equatable {
    package struct Start: Sendable, Equatable {
        package var job: JobID
        package var gpuSlots: [String]
    }

    /// In the order in which they were chosen.
    package var starts: [Start] = []
    /// Jobs that ask for more than the whole pool has, and why.
    package var impossible: [JobID: String] = [:]
    /// The others in the order in which they are looked at: who is first is asked first next time.
    package var queue: [Wait] = []

    /// One that waits, and for what.
    package struct Wait: Sendable, Equatable {
        package var job: JobID
        package var reason: WaitReason
        /// The same in a person's words, with numbers.
        package var explanation: String
    }
}

package enum WaitReason: String, Sendable, Codable {
    case cpus, memory, gpus
    /// As many of its group run as may.
    case group
    /// A job before it has waited so long that nobody may pass it any more.
    case turn
}

/// Chooses who starts now: by priority, then for the project with the smallest share of the pool,
/// then by age. Who does not fit is passed by those behind, until it has waited for
/// `JobPlanner.patience`: from then on places are kept free for it.
package struct JobPlanner {
    package static let patience = Duration.minutes(10)

    private let capacity: Capacity
    private var used = Reservation()
    private var freeSlots: [String]
    private var shares: [ProjectID: Reservation] = [:]
    private var groups: [String: Int] = [:]
    private var plan = JobPlan()

    package static func plan(_ snapshot: JobSnapshot) -> JobPlan {
        var planner = JobPlanner(snapshot)
        planner.place(snapshot.waiting)
        return planner.plan
    }

    private init(_ snapshot: JobSnapshot) {
        capacity = snapshot.capacity
        freeSlots = snapshot.capacity.gpuSlots
        for placed in snapshot.placed {
            take(placed.resources, placed.project, placed.group)
            freeSlots.removeAll(where: placed.gpuSlots.contains)
        }
    }

    private mutating func take(_ resources: Resources, _ project: ProjectID, _ group: JobGroup?) {
        used += resources
        shares[project, default: Reservation()] += resources
        if let group { groups[group.name, default: 0] += 1 }
    }

    private mutating func place(_ waiting: [JobSnapshot.Waiting]) {
        var rest: [JobSnapshot.Waiting] = []
        for job in waiting {
            if let reason = impossibility(of: job.resources) {
                plan.impossible[job.job] = reason
            } else {
                rest.append(job)
            }
        }
        var blocker: JobID?
        while let index = next(in: rest) {
            let job = rest.remove(at: index)
            if let blocker {
                plan.queue.append(
                    .init(
                        job: job.job, reason: .turn,
                        explanation: "job \(blocker.rawValue.prefix(8)) has waited so long that "
                            + "free places are kept for it"))
            } else if let reason = obstacle(to: job) {
                plan.queue.append(
                    .init(job: job.job, reason: reason, explanation: explanation(reason, job)))
                // A full group is no want of room: others may pass.
                if reason != .group, job.waited >= Self.patience { blocker = job.job }
            } else {
                start(job)
            }
        }
    }

    /// The index of whose turn it is; the first of equals, so the oldest.
    private func next(in waiting: [JobSnapshot.Waiting]) -> Int? {
        waiting.indices.min { left, right in
            let (one, other) = (waiting[left], waiting[right])
            if one.priority != other.priority { return one.priority > other.priority }
            let (share, otherShare) = (share(of: one.project), share(of: other.project))
            return share == otherShare ? left < right : share < otherShare
        }
    }

    private func share(of project: ProjectID) -> Double {
        shares[project]?.dominantShare(of: capacity) ?? 0
    }

    private mutating func start(_ job: JobSnapshot.Waiting) {
        let slots = Array(freeSlots.prefix(job.resources.gpus))
        freeSlots.removeFirst(slots.count)
        take(job.resources, job.project, job.group)
        plan.starts.append(JobPlan.Start(job: job.job, gpuSlots: slots))
    }

    private func obstacle(to job: JobSnapshot.Waiting) -> WaitReason? {
        if let group = job.group, groups[group.name, default: 0] >= group.parallel { return .group }
        var after = used
        after += job.resources
        if after.cpus > capacity.cpus + 1e-9 { return .cpus }
        if after.memoryBytes > capacity.memoryBytes { return .memory }
        if job.resources.gpus > freeSlots.count { return .gpus }
        return nil
    }

    private func explanation(_ reason: WaitReason, _ job: JobSnapshot.Waiting) -> String {
        switch reason {
        case .cpus:
            return "it asks for \(Self.text(job.resources.cpus)) processor cores, and "
                + "\(Self.text(max(0, capacity.cpus - used.cpus))) of \(Self.text(capacity.cpus)) "
                + "are free"
        case .memory:
            let free = max(0, capacity.memoryBytes - used.memoryBytes)
            return "it asks for \((job.resources.memoryBytes ?? 0) >> 20) MiB of memory, and "
                + "\(free >> 20) of \(capacity.memoryBytes >> 20) MiB are free"
        case .gpus:
            return "it asks for \(job.resources.gpus) GPUs, and \(freeSlots.count) of "
                + "\(capacity.gpuSlots.count) are free"
        case .group:
            return "\(job.group?.parallel ?? 0) jobs of its group run, and no more may"
        case .turn: return "a job before it has waited so long that free places are kept for it"
        }
    }

    /// `2` and `0.5`.
    private static func text(_ cpus: Double) -> String {
        String(format: "%.4g", cpus)
    }

    private func impossibility(of resources: Resources) -> String? {
        if resources.cpus > capacity.cpus + 1e-9 {
            return "the job asks for \(resources.cpus) processor cores, and the pool has "
                + "\(capacity.cpus)"
        }
        if let memory = resources.memoryBytes, memory > capacity.memoryBytes {
            return "the job asks for \(memory >> 20) MiB of memory, and the pool has "
                + "\(capacity.memoryBytes >> 20) MiB"
        }
        if resources.gpus > capacity.gpuSlots.count {
            return "the job asks for \(resources.gpus) GPUs, and the pool has "
                + "\(capacity.gpuSlots.count)"
        }
        return nil
    }
}
