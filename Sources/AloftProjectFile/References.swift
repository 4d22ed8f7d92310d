import AloftDomain
import Yams

/// What one section says about another: each name that is used must be declared. Only names count
/// here, so that a fault within a job does not call the job unknown.
struct References {
    let file: ProjectFile
    let jobs: [Section.Entry]
    let models: [Section.Entry]
    let deployments: [Section.Entry]
    let monitors: [Section.Entry]
    let triggers: [Section.Entry]

    func check() {
        checkDeployments()
        checkTraffic()
        checkMonitors()
        checkTriggers()
    }

    /// The models that the file declares, or that one of its jobs registers.
    private var knownModels: [String] {
        let registered = jobs.compactMap { $0.value.quietSection?["registers"]?.scalar?.string }
        return models.map(\.name) + registered
    }

    private func checkDeployments() {
        for entry in deployments {
            guard let cursor = entry.value.quietSection?["model"], let name = cursor.scalar?.string,
                !knownModels.contains(name)
            else { continue }
            cursor.fault(
                "no job `registers` the model `\(name)` and `models` does not name it"
                    + (cursor.didYouMean(knownModels).isEmpty
                        ? "; if another program registers it, add `\(name): {}` under `models`"
                        : cursor.didYouMean(knownModels)))
        }
    }

    /// The deployments that segments and shadows name are declared too: a misspelt one would never
    /// answer anybody.
    private func checkTraffic() {
        for entry in deployments {
            let section = entry.value.quietSection
            if let shadow = section?["shadow"]?.quietSection?["deployment"] { checkTarget(shadow) }
            if let tree = section?["segments"]?.quietSection?["tree"] { checkTree(tree, depth: 0) }
        }
    }

    private func checkTree(_ tree: Cursor, depth: Int) {
        guard depth < SegmentRules.deepest else { return }
        for segment in tree.quietSection?.entries ?? [] {
            let section = segment.value.quietSection
            if let target = section?["deployment"] { checkTarget(target) }
            if let within = section?["within"] { checkTree(within, depth: depth + 1) }
        }
    }

    private func checkTarget(_ cursor: Cursor) {
        let known = deployments.map(\.name)
        guard let name = cursor.scalar?.string, !known.contains(name) else { return }
        cursor.fault("there is no deployment `\(name)`\(cursor.didYouMean(known))")
    }

    private func checkMonitors() {
        let known = deployments.map(\.name)
        for entry in monitors where !known.contains(entry.name) {
            entry.key.fault(
                "there is no deployment `\(entry.name)` to watch\(entry.key.didYouMean(known))")
        }
    }

    private func checkTriggers() {
        let known = jobs.map(\.name)
        for entry in triggers {
            guard let section = entry.value.quietSection else { continue }
            if let cursor = section["run"], let name = cursor.scalar?.string, !known.contains(name)
            {
                cursor.fault("there is no job `\(name)`\(cursor.didYouMean(known))")
            }
            if case .sequence(let causes) = section["when"]?.node {
                for (index, cause) in causes.enumerated() {
                    let cursor = Cursor(
                        node: cause, path: "\(entry.value.path).when[\(index + 1)]",
                        faults: entry.value.faults)
                    checkCause(cursor)
                }
            }
            checkSequel(section)
        }
    }

    private func checkCause(_ cursor: Cursor) {
        guard let word = cursor.scalar?.string, word == "drift" || word == "quality" else { return }
        let isWatched = monitors.contains { $0.value.quietSection?[word] != nil }
        if !isWatched {
            cursor.fault("no monitor watches `\(word)`; add one under `monitors`")
        }
    }

    /// What follows a job needs a model that the job registers.
    private func checkSequel(_ section: Section) {
        guard let sequel = section["then"], let name = section["run"]?.scalar?.string,
            let job = jobs.first(where: { $0.name == name }),
            job.value.quietSection?["registers"] == nil
        else { return }
        sequel.fault(
            "the job `\(name)` registers no model, so nothing can follow it; add "
                + "`registers: MODEL` to it")
    }
}
