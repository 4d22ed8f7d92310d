/// What is refused about jobs.
package enum JobError: Refusal, Equatable {
    case notFound(JobID)
    /// The begin of several identifiers.
    case ambiguous(String, [JobID])
    /// The project file has no such job.
    case unknownJob(name: String, project: ProjectID, known: [String])
    case noProjectFile(project: ProjectID)
    case missingParameters([String], job: String)
    case unknownParameter(String, job: String, known: [String])
    case invalidSpec([String])
    /// The requirements name places that packages may not come from.
    case packageSources([String])
    case unknownSnapshot(ContentDigest)
    case notEnded(JobID)
    case noSuchAttempt(JobID, attempt: Int)

    package var code: String {
        switch self {
        case .notFound: "job_not_found"
        case .ambiguous: "job_ambiguous"
        case .unknownJob: "job_unknown"
        case .noProjectFile: "project_file_missing"
        case .missingParameters: "parameter_missing"
        case .unknownParameter: "parameter_unknown"
        case .invalidSpec: "job_invalid"
        case .packageSources: "package_sources_refused"
        case .unknownSnapshot: "snapshot_not_found"
        case .notEnded: "job_not_ended"
        case .noSuchAttempt: "attempt_not_found"
        }
    }

    package var kind: RefusalKind {
        switch self {
        case .notFound, .unknownJob, .noProjectFile, .noSuchAttempt: .notFound
        case .missingParameters, .unknownParameter, .invalidSpec, .packageSources,
            .unknownSnapshot, .ambiguous:
            .invalid
        case .notEnded: .conflict
        }
    }

    package var message: String {
        switch self {
        case .notFound(let job): "there is no job \(job); `aloft ps --all` lists them"
        case .ambiguous(let text, let ids): ambiguousPrefix("jobs", text, ids.map(\.rawValue))
        case .unknownJob(let name, let project, let known):
            "the project file of \(project) has no job named \(name)"
                + Self.suggestion(name, among: known)
        case .noProjectFile(let project):
            "the project \(project) has no project file yet; send one with `aloft apply aloft.yaml`"
        case .missingParameters(let names, let job):
            "job \(job) needs a value for \(names.joined(separator: ", ")): give it with "
                + "-p NAME=VALUE"
        case .unknownParameter(let name, let job, let known):
            "job \(job) has no parameter \(name)" + Self.suggestion(name, among: known)
        case .invalidSpec(let faults): faults.joined(separator: "; ")
        case .packageSources(let faults): PackageSources.refusal(faults)
        case .unknownSnapshot(let digest): "there is no blob \(digest); upload the code first"
        case .notEnded(let job): "job \(job) has not ended; stop it first"
        case .noSuchAttempt(let job, let attempt): "job \(job) has no attempt \(attempt)"
        }
    }

    private static func suggestion(_ name: String, among known: [String]) -> String {
        if let nearest = nearest(to: name, among: known) { return "; did you mean \(nearest)?" }
        guard !known.isEmpty else { return "" }
        return "; it has " + known.sorted().prefix(20).joined(separator: ", ")
    }
}
