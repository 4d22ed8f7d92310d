package import AloftDomain

/// Who stands behind a request.
package enum PersonQueries {
    /// The name of the token of the person who asks, or who started the job that asks; `nil` where no
    /// token was asked for.
    package static func name(_ db: Transaction, _ who: Principal) throws -> String? {
        switch who {
        case .user(let name): return name
        case .job(let job):
            let starter = try db.value(
                of: String.self, sql: "SELECT createdBy FROM job WHERE id = ?",
                arguments: [job.rawValue])
            return starter?.rest(after: "user:").map(String.init)
        case .local, .gateway, .controller: return nil
        }
    }

    /// Who registers a version of what `run` made: the person who asks, else whom the run names.
    static func registrar(_ db: Transaction, _ who: Principal, of run: RunID?) throws -> String {
        if let name = try name(db, who) { return name }
        if let run {
            let tagged = try TrackingQueries.tag(db, run, key: userKey)
            if let tagged, !tagged.isEmpty { return tagged }
            if let user = try TrackingQueries.runInfo(db, run)?.user, !user.isEmpty { return user }
        }
        return who == .local ? "" : who.description
    }

    /// The tag that names who made a run.
    package static let userKey = "mlflow.user"
}
