package import AloftDomain

/// What the file stores refuse, as facts.
package enum ArtifactError: Refusal, Equatable {
    /// The path leaves its folder, or is none.
    case invalidPath(String)
    case notFound(String)
    case isFolder(String)
    /// A file stands where the path needs a folder, or the other way round.
    case inTheWay(String)
    case digestMismatch(expected: ContentDigest, actual: ContentDigest)
    case blobNotFound(ContentDigest)
    case diskFull

    package var code: String {
        switch self {
        case .invalidPath: "artifact_path_invalid"
        case .notFound: "artifact_not_found"
        case .isFolder: "artifact_is_folder"
        case .inTheWay: "artifact_in_the_way"
        case .digestMismatch: "digest_mismatch"
        case .blobNotFound: "blob_not_found"
        case .diskFull: "disk_full"
        }
    }

    package var kind: RefusalKind {
        switch self {
        case .invalidPath, .isFolder, .inTheWay, .digestMismatch: .invalid
        case .notFound, .blobNotFound: .notFound
        case .diskFull: .diskFull
        }
    }

    package var message: String {
        switch self {
        case .invalidPath(let path): "Invalid path: '\(path.prefix(200))'"
        case .notFound(let path): "No such artifact: '\(path.prefix(200))'"
        case .isFolder(let path): "'\(path.prefix(200))' is a folder"
        case .inTheWay(let path):
            "'\(path.prefix(200))' cannot be written: something of the other kind is in the way"
        case .digestMismatch(let expected, let actual):
            "the bytes have the digest \(actual), not \(expected); nothing was stored"
        case .blobNotFound(let digest): "there is no blob \(digest)"
        case .diskFull: "the disk is full; nothing was written. Free space and try again."
        }
    }
}
