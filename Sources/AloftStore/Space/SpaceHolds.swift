import AloftDomain

/// What must stay although it was deleted, and why: something that was not deleted uses it.
package struct SpaceHolds: Sendable, Equatable {
    /// Ids of runs and logged models.
    private var ids: [ExactText: String] = [:]
    /// Folders of artifacts that model versions name: all in and above them stays.
    private var places: [ExactText: String] = [:]
    /// Everything that is above one of `places`, or one itself.
    private var abovePlaces: [ExactText: String] = [:]
    /// The same for where experiments keep their runs, by experiment.
    private var aboveLocations: [ExactText: [Int64: String]] = [:]

    package init(_ db: Transaction) throws {
        let versions = try db.allRows(
            """
            SELECT m.name, v.version, v.source, v.runId, v.loggedModel FROM modelVersion v
            JOIN registeredModel m ON m.number = v.model
            """)
        for row in versions {
            let name: String = try row["name"]
            let version: Int64 = try row["version"]
            let why = "\(name) version \(version) uses it"
            let run: String = try row["runId"]
            if !run.isEmpty { ids[ExactText(run)] = why }
            if let model: String = try row["loggedModel"] { ids[ExactText(model)] = why }
            let source: String = try row["source"]
            // However a source is written, the run or model that it names is one of its parts.
            for part in source.pieces(atAnyOf: "/:".unicodeScalars) {
                ids[ExactText(String(part))] = why
            }
            guard let place = ArtifactPlaceText.path(source) else { continue }
            places[ExactText(place)] = why
            for above in Self.chain(place) { abovePlaces[above] = why }
        }
        let working: [String] = try db.allValues(
            """
            SELECT run FROM job WHERE state <> 'ended' AND run IS NOT NULL
            UNION SELECT run FROM trial WHERE state <> 'ended'
            """)
        for run in working { ids[ExactText(run)] = "a job still works on it" }
        let experiments = try db.allRows("SELECT number, name, artifactLocation FROM experiment")
        for row in experiments {
            let number: Int64 = try row["number"]
            let name: String = try row["name"]
            for above in ArtifactPlaceText.path(try row["artifactLocation"]).map(Self.chain) ?? [] {
                aboveLocations[above, default: [:]][number] =
                    "experiment \(name) keeps its files in it"
            }
        }
    }

    /// Why this thing stays; `nil` if nothing holds it.
    package func reason(id: String, place: String?) -> String? {
        ids[ExactText(id)] ?? place.flatMap { reason(place: $0) }
    }

    /// Why this folder stays. `experiment` is not asked, whose own folder it is.
    package func reason(place: String, but experiment: Int64? = nil) -> String? {
        if let why = abovePlaces[ExactText(place)] { return why }
        for above in Self.chain(place) { if let why = places[above] { return why } }
        return aboveLocations[ExactText(place)]?.first { $0.key != experiment }?.value
    }

    /// The path and every folder above it, the root as an empty text.
    private static func chain(_ path: String) -> [ExactText] {
        let parts = path.pieces(at: "/")
        return (0...parts.count).map { ExactText(parts.prefix($0).joined(separator: "/")) }
    }
}

/// The paths that proxied artifact URIs name.
package enum ArtifactPlaceText {
    /// The path in `mlflow-artifacts:/path` or `mlflow-artifacts://host/path`, without slashes at
    /// its ends; `nil` for other URIs.
    package static func path(_ uri: String) -> String? {
        rooted(uri)?.pieces(at: "/").joined(separator: "/")
    }

    /// The same as it stands, without slashes at its start.
    package static func rooted(_ uri: String) -> String? {
        guard let rest = uri.rest(after: "mlflow-artifacts:") else { return nil }
        guard let named = rest.rest(after: "//") else { return String(rest.dropping("/")) }
        let path = Substring(named.unicodeScalars.drop { $0 != "/" })
        return String(path.dropping("/"))
    }
}
