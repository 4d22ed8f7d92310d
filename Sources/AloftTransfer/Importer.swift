package import AloftClient
import AloftDomain
import AloftWire
import AsyncHTTPClient
import Foundation

/// Copies what a tracker holds into a server. A run is there with all its files and points or not at
/// all; stopped anywhere, it goes on where it was.
package struct Importer: Sendable {
    private let source: any TransferSource
    let client: ServerClient
    let progress: TransferProgress
    private let copier: ArtifactCopier
    /// Only experiments of these names; all if empty.
    // text: what a person typed, who cannot see which spelling it has
    private let names: Set<String>
    /// How many runs are copied side by side, so that they share commits.
    private let parallel = 4

    package init(
        // text: as above
        from source: any TransferSource, into client: ServerClient, experiments names: Set<String>,
        tell: @escaping @Sendable (TransferReport) -> Void
    ) {
        self.source = source
        self.client = client
        self.names = names
        progress = TransferProgress(tell: tell)
        copier = ArtifactCopier(client: client, progress: progress)
    }

    /// An experiment there and the one here that takes what it holds.
    private struct Target: Sendable {
        let there: TransferExperiment
        let here: ImportExperiment.Reply
    }

    /// - Throws: `SourceError`, `ClientError` if a side stopped answering; what was copied is there.
    package func run() async throws -> TransferReport {
        let there = try await source.experiments()
        for missing in names.subtracting(there.map(\.name)).sorted() {
            throw SourceError("there is no experiment '\(missing)' in \(source.identity)")
        }
        let wanted = there.filter { names.isEmpty || names.contains($0.name) }
        // Where each run and model there has its files here, for the sources of model versions.
        var targets: [Target] = []
        for experiment in wanted {
            guard let target = try await take(experiment) else { continue }
            targets.append(target)
            let name = "experiment '\(experiment.name)'"
            try await attempt("logged models of \(name)") { try await takeLoggedModels(target) }
            try await attempt("runs of \(name)") { try await takeRuns(target) }
        }
        let all = targets
        try await attempt("registered models") {
            for model in try await source.models() { try await take(model, all) }
        }
        try await attempt("what is left out") {
            for left in try await source.leftOut() { progress.leave(left.what, left.why) }
        }
        for fault in source.faults.all { progress.fail(fault.what, fault.why) }
        return progress.current
    }

    private func take(_ experiment: TransferExperiment) async throws -> Target? {
        var keepsLocation = false
        if case .elsewhere = source.place(of: experiment.artifactLocation) { keepsLocation = true }
        do {
            let reply = try await client.call(
                ImportExperiment.self,
                body: .init(
                    source: source.identity, experiment: experiment, keepsLocation: keepsLocation))
            progress.note { $0.experiments += 1 }
            return Target(there: experiment, here: reply)
        } catch ClientError.refused(let status, _, let message) where status < 500 {
            progress.leave("experiment '\(experiment.name)' with its runs", message)
            return nil
        } catch  where TransferFault.isOfOne(error) {
            progress.fail(
                "experiment '\(experiment.name)' with its runs", TransferFault.words(of: error))
            return nil
        }
    }

    // MARK: Runs

    private func takeRuns(_ target: Target) async throws {
        var page: String?
        repeat {
            let found = try await source.runs(of: target.there.id, after: page)
            page = found.next
            try await takeRuns(found.items, target)
        } while page != nil
    }

    private func takeRuns(_ runs: [TransferRun], _ target: Target) async throws {
        let items = try runs.map {
            CheckImports.Item(id: $0.id.rawValue, fingerprint: try Fingerprint.of($0))
        }
        let (known, failed) = try await states(of: items, called: "run") {
            try await client.call(CheckImports.self, body: .init(runs: $0)).runs
        }
        let pairs = zip(runs, items).filter { run, item in
            !failed.contains(ExactText(item.id)) && isWanted(run, known[ExactText(item.id)])
        }
        try await eachOf(pairs.map { ($0, $1.fingerprint) }, parallel: parallel) { run, mark in
            try await attempt("run \(run.id)") {
                try await take(run, mark, target, known[ExactText(run.id.rawValue)])
            }
        }
    }

    /// A run that has not ended may have points that its latest ones do not show.
    private func isWanted(_ run: TransferRun, _ known: Known?) -> Bool {
        switch known?.state {
        case nil: return true
        case .changed:
            guard known?.isInPart == true, run.status.isEnded else { return true }
            return hasNewFiles(run)
        case .same:
            guard run.status.isEnded else { return true }
            progress.note { $0.runsUnchanged += 1 }
            return false
        case .deleted:
            progress.leave("run \(run.id)", "imported once and deleted here")
            return false
        case .foreign:
            progress.leave("run \(run.id)", "is here already and came from no import")
            return false
        }
    }

    /// Whether files that could not be taken may be there by now; all else of the run is.
    private func hasNewFiles(_ run: TransferRun) -> Bool {
        let name = "files of run \(run.id)"
        switch source.place(of: run.artifactURI) {
        case .here, .elsewhere: return true
        case .unreachable(let why): progress.leave(name, why)
        case .refused(let why): progress.fail(name, why)
        }
        progress.note { $0.runsUnchanged += 1 }
        return false
    }

    private func take(
        _ run: TransferRun, _ fingerprint: String, _ target: Target, _ known: Known?
    ) async throws {
        let uri = folder(target, "\(run.id)/artifacts")
        let copied = try await copyFiles(
            of: "run \(run.id)", from: run.artifactURI, to: uri, known)
        var moved = run
        moved.experiment = target.here.experiment.rawValue
        moved.metrics = []
        let header = ImportRun.Header(
            source: source.identity, fingerprint: copied.mark(fingerprint), run: moved,
            keepsArtifacts: copied == .elsewhere)
        let fault = BodyFault()
        let lines = SentBody(
            base: RunLines(header: header, run: run, source: source), fault: fault)
        let data = try await fault.sending {
            try await client.send(
                method: .post, path: ImportRun.path, body: .stream(lines, length: .unknown),
                contentType: ImportRun.contentType, timeout: .seconds(3600))
        }
        let reply = try JSONDecoder().decode(ImportRun.Reply.self, from: data)
        progress.note { report in
            // A run that still goes on is asked for each time and often brings nothing.
            if reply.isNew || reply.points > 0 || run.status.isEnded {
                report.runs += 1
            } else {
                report.runsUnchanged += 1
            }
            report.points += reply.points
        }
    }

    /// What became of the files of a run or model.
    private enum Copied {
        case whole
        case inPart
        /// They stay where they are.
        case elsewhere

        /// The fingerprint to keep: one that is never asked for where files are missing, so that the
        /// next time tries them again.
        func mark(_ fingerprint: String) -> String {
            self == .inPart ? Importer.inPart(fingerprint) : fingerprint
        }
    }

    /// Copies the files below `uri`.
    private func copyFiles(
        of what: String, from uri: String, to target: String, _ known: Known?
    ) async throws -> Copied {
        guard !uri.isEmpty else { return .whole }
        switch source.place(of: uri) {
        case .elsewhere(let place):
            if known == nil {
                progress.leave("files of \(what)", "they stay at \(place), where clients read them")
            }
            return .elsewhere
        case .unreachable(let why):
            progress.leave("files of \(what)", why)
            return .inPart
        case .refused(let why):
            progress.fail("files of \(what)", why)
            return .inPart
        case .here(let reader):
            guard ArtifactURI.proxied(target) != nil else {
                progress.leave("files of \(what)", "\(target) is not kept by this server")
                return .whole
            }
            // A known run's files may have changed without changing their size.
            let isWhole = try await copier.copy(
                reader, of: what, to: target, isResumed: known?.isInPart ?? true)
            return isWhole ? .whole : .inPart
        }
    }

    private func folder(_ target: Target, _ rest: String) -> String {
        target.here.artifactLocation.droppingLast("/") + "/" + rest
    }

    /// One thing that cannot be read, or that a side refuses, does not stop the others.
    private func attempt(_ what: String, _ body: () async throws -> Void) async throws {
        do {
            try await body()
        } catch  where TransferFault.isOfOne(error) {
            progress.fail(what, TransferFault.words(of: error))
        }
    }
}

// Models.
extension Importer {
    private func takeLoggedModels(_ target: Target) async throws {
        var page: String?
        repeat {
            let found = try await source.loggedModels(of: target.there.id, after: page)
            page = found.next
            let items = try found.items.map {
                CheckImports.Item(id: $0.id.rawValue, fingerprint: try Fingerprint.of($0))
            }
            let (known, failed) = try await states(of: items, called: "logged model") {
                try await client.call(CheckImports.self, body: .init(loggedModels: $0)).loggedModels
            }
            for (model, item) in zip(found.items, items)
            where !failed.contains(ExactText(item.id)) {
                let state = known[ExactText(item.id)]
                switch state?.state {
                case .same: continue
                case .deleted:
                    progress.leave("logged model \(item.id)", "imported once and deleted here")
                case .foreign:
                    progress.leave(
                        "logged model \(item.id)", "is here already and came from no import")
                case nil, .changed:
                    try await attempt("logged model \(item.id)") {
                        try await take(model, item.fingerprint, target, state)
                    }
                }
            }
        } while page != nil
    }

    private func take(
        _ model: TransferLoggedModel, _ fingerprint: String, _ target: Target, _ known: Known?
    ) async throws {
        let copied = try await copyFiles(
            of: "logged model \(model.id)", from: model.artifactURI,
            to: folder(target, "models/\(model.id)/artifacts"), known)
        var moved = model
        moved.experiment = target.here.experiment.rawValue
        _ = try await client.call(
            ImportLoggedModel.self,
            body: .init(
                source: source.identity, fingerprint: copied.mark(fingerprint), model: moved,
                keepsArtifacts: copied == .elsewhere), timeout: .seconds(300))
        progress.note { $0.loggedModels += 1 }
    }

    private func take(_ model: TransferModel, _ targets: [Target]) async throws {
        var moved = model
        moved.versions = model.versions.map { version in
            var version = version
            version.source = Self.moved(version.source, targets)
            return version
        }
        let body = ImportModel.Body(source: source.identity, model: moved)
        try await attempt("model \(model.name)") {
            let reply = try await client.call(
                ImportModel.self, body: body, timeout: .seconds(300))
            progress.note { report in
                if reply.isNew || reply.newVersions > 0 { report.models += 1 }
                report.versions += reply.newVersions
            }
            for conflict in reply.conflicts { progress.leave(conflict, "nothing here is changed") }
        }
    }

    /// A source below an experiment's place there is below its place here.
    private static func moved(_ source: String, _ targets: [Target]) -> String {
        for target in targets {
            let there = target.there.artifactLocation.droppingLast("/")
            let here = target.here.artifactLocation.droppingLast("/")
            guard !there.isEmpty, !there.isSame(as: here), source.begins(with: there + "/"),
                let rest = source.rest(after: there)
            else { continue }
            return String(here + rest)
        }
        return source
    }
}
