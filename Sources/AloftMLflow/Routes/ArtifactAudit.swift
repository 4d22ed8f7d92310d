import AloftArtifacts
import AloftDomain
import AloftStore

/// Events on artifacts that were there and are no longer what they were.
extension MLflowService {
    /// A file took another's place. A run that goes on may write its files again and again; what has
    /// ended should stay as it is.
    func replaced(_ path: ArtifactPath, by who: Principal) async throws {
        let (run, at) = (Self.run(of: path), time.now())
        try await store.write { db in
            if let run, try TrackingQueries.runInfo(db, run)?.status.isEnded == false { return }
            try AuditLog(db, by: who, at: at).artifact(path.text, of: run, "replaced")
        }
    }

    func removed(_ path: ArtifactPath, by who: Principal) async throws {
        let (run, at) = (Self.run(of: path), time.now())
        try await store.write { db in
            try AuditLog(db, by: who, at: at).artifact(path.text, of: run, "deleted")
        }
    }

    /// Files of a run stand in a folder of its identifier.
    static func run(of path: ArtifactPath) -> RunID? {
        path.components.first { part in
            part.utf8.count == 32
                && part.utf8.allSatisfy { (48...57).contains($0) || (97...102).contains($0) }
        }.map { RunID($0) }
    }
}
