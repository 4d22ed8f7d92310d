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
    /// Its file no longer has its digest; it was put aside.
    case blobDamaged(ContentDigest)
    case diskFull
    case uploadNotFound(String)
    /// A part that completes an upload was not sent, or was sent with other bytes.
    case partMissing(String, number: Int)

    package var code: String {
        switch self {
        case .invalidPath: "artifact_path_invalid"
        case .notFound: "artifact_not_found"
        case .isFolder: "artifact_is_folder"
        case .inTheWay: "artifact_in_the_way"
        case .digestMismatch: "digest_mismatch"
        case .blobNotFound: "blob_not_found"
        case .blobDamaged: "blob_damaged"
        case .diskFull: "disk_full"
        case .uploadNotFound: "upload_not_found"
        case .partMissing: "upload_part_missing"
        }
    }

    package var kind: RefusalKind {
        switch self {
        case .invalidPath, .isFolder, .inTheWay, .digestMismatch, .partMissing: .invalid
        case .notFound, .blobNotFound, .uploadNotFound: .notFound
        case .blobDamaged: .damaged
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
        case .blobDamaged(let digest):
            "the file of blob \(digest) is damaged: its bytes have another digest. It was put aside, "
                + "in blobs/damaged of the data folder; uploading the same bytes again, or putting "
                + "the file back from a backup, mends it"
        case .uploadNotFound(let id):
            "there is no upload '\(id.prefix(100))': it was aborted, or never begun"
        case .partMissing(let id, let number):
            "part \(number) of the upload '\(id.prefix(100))' was not sent, or with other bytes; "
                + "parts are numbered from 1 without a gap"
        case .diskFull: "the disk is full; nothing was written. Free space and try again."
        }
    }
}
