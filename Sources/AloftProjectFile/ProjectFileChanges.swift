package import AloftDomain

extension ProjectFile {
    /// What is other than in `old`, one line a section's entry: `+ job train`, `~ job train (run,
    /// sweep)`, `- job train`. Everything is new where there was no file.
    package func changes(from old: ProjectFile?) -> [String] {
        var lines: [String] = []
        if let old, old.environment != environment { lines.append("~ environment") }
        lines += compare("job", old?.jobs ?? [], jobs, name: \.name) { before, now in
            var parts: [String] = []
            if before.run != now.run { parts.append("run") }
            if before.environment != now.environment { parts.append("environment") }
            if before.resources != now.resources { parts.append("resources") }
            if before.variables != now.variables { parts.append("variables") }
            if before.secrets != now.secrets { parts.append("secrets") }
            if before.parameters != now.parameters { parts.append("parameters") }
            if before.sweep != now.sweep { parts.append("sweep") }
            if before.registers != now.registers { parts.append("registers") }
            return parts
        }
        lines += compare("model", old?.models ?? [], models, name: \.name) { _, _ in ["checks"] }
        lines += compare("deployment", old?.deployments ?? [], deployments, name: \.name) {
            before, now in
            (before.model != now.model ? ["model"] : [])
                + (before.rollout != now.rollout ? ["rollout"] : [])
                + (before.logSampling != now.logSampling ? ["log"] : [])
                + (before.breaking != now.breaking ? ["breaking"] : [])
                + (before.traffic.shadow != now.traffic.shadow ? ["shadow"] : [])
                + (before.traffic.segments != now.traffic.segments ? ["segments"] : [])
                + (before.traffic.execution != now.traffic.execution ? ["execution"] : [])
        }
        lines += compare("monitor", old?.monitors ?? [], monitors, name: \.deployment) {
            before, now in
            (before.drift != now.drift ? ["drift"] : [])
                + (before.quality != now.quality ? ["quality"] : [])
        }
        lines += compare("trigger", old?.triggers ?? [], triggers, name: \.name) { before, now in
            (before.when != now.when ? ["when"] : []) + (before.run != now.run ? ["run"] : [])
                + (before.then != now.then ? ["then"] : [])
        }
        return lines
    }

    private func compare<Item: Equatable>(
        _ kind: String, _ old: [Item], _ new: [Item], name: (Item) -> String,
        parts: (Item, Item) -> [String]
    ) -> [String] {
        let kept = Set(new.map(name))
        return new.compactMap { item in
            guard let before = old.first(where: { name($0) == name(item) }) else {
                return "+ \(kind) \(name(item))"
            }
            guard before != item else { return nil }
            return "~ \(kind) \(name(item)) (\(parts(before, item).joined(separator: ", ")))"
        } + old.filter { !kept.contains(name($0)) }.map { "- \(kind) \(name($0))" }
    }
}
