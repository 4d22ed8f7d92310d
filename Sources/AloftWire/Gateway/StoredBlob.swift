package import AloftDomain

/// The reply to a blob that was stored.
package struct StoredBlob: Codable, Sendable, Equatable {
    package var digest: ContentDigest
    package var sizeBytes: Int64

    package init(digest: ContentDigest, sizeBytes: Int64) {
        self.digest = digest
        self.sizeBytes = sizeBytes
    }
}
