/// How much may come out of an archive that strangers made.
package struct ArchiveLimits: Sendable, Equatable {
    /// The most bytes that come out, headers included.
    package var bytes: Int64
    /// The most files, folders and links.
    package var entries: Int
    /// A compressed archive may become so many times its own length, and in any case `freeBytes`.
    package var ratio: Int64 = 100
    package var freeBytes: Int64 = 64 << 20

    package init(bytes: Int64, entries: Int = 500_000) {
        self.bytes = bytes
        self.entries = entries
    }

    func most(compressedBytes: Int64) -> Int64 {
        let (product, isOver) = compressedBytes.multipliedReportingOverflow(by: ratio)
        return min(bytes, max(freeBytes, isOver ? bytes : product))
    }
}

/// Why an archive is not unpacked; a sentence without its end.
package struct ArchiveFailure: Error, Equatable {
    package let reason: String

    init(_ reason: String) { self.reason = reason }

    /// What the system said of `what`.
    static func system(_ what: String, _ number: Int32) -> ArchiveFailure {
        ArchiveFailure("\(what): \(SystemText.of(number))")
    }
}
