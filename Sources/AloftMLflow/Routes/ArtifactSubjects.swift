import AloftArtifacts
import AloftDomain
import AloftStore
import Hummingbird

/// Whose the files are that a path of the artifact proxy names.
struct ArtifactSubjects<Context: Sendable>: Sendable {
    /// What the address begins with, before the path.
    let prefix: String

    typealias Find = @Sendable (AccessQueries, Request, Context) throws -> [Claim]

    /// The folder in the query.
    var listed: Find {
        { queries, request, _ in
            let pairs = QueryText.pairs(request.uri.query ?? "")
            let path = try ArtifactPath(pairs.last { $0.name == "path" }?.value ?? "")
            return [Claim(try queries.artifact(path.components).thing)]
        }
    }

    var read: Find {
        { queries, request, _ in
            let path = try ArtifactCalls.path(in: request, after: prefix)
            return [Claim(try queries.artifact(path.components).thing)]
        }
    }

    var written: Find {
        { queries, request, _ in
            Self.written(queries, try ArtifactCalls.path(in: request, after: prefix).components)
        }
    }

    /// A file within the caller's own run is the caller's to remove; a whole folder is not.
    var removed: Find {
        { queries, request, _ in
            let path = try ArtifactCalls.path(in: request, after: prefix)
            let found = try queries.artifact(path.components)
            return [found.isInside ? Claim(found.thing, .record) : Claim(.platform)]
        }
    }

    /// Only within the folder of one run, logged model or trace.
    static func written(_ queries: AccessQueries, _ parts: [String]) -> [Claim] {
        guard let found = try? queries.artifact(parts), found.isInside else {
            return [Claim(.platform)]
        }
        return [Claim(found.thing)]
    }
}
