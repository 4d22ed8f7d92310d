package import AloftDomain

/// What takes space that nothing needs, and why.
package struct SpaceReport: Codable, Sendable, Equatable {
    package enum Reason: String, Codable, Sendable, CaseIterable {
        /// Deleted longer ago than the retention.
        case deletedRuns, deletedLoggedModels, deletedExperiments
        /// Folders of runs and models that nobody knows, a day old at least.
        case unknownFolders
        /// Blobs that nothing refers to, a day old at least.
        case unusedBlobs
        /// Uploads that were not gone on with for a day.
        case abandonedUploads
        /// Folders of artifacts that people deleted longer ago than the retention.
        case trash
        /// Cut off earlier, when the server was stopped before the files were gone.
        case leftFromEarlier
    }

    package struct Line: Codable, Sendable, Equatable {
        package var reason: Reason
        /// The experiment's name; `nil` for what belongs to none.
        package var experiment: String?
        package var count: Int
        /// Bytes of files.
        package var bytes: Int64
        /// Metric points in the database.
        package var points: Int64

        package init(
            reason: Reason, experiment: String? = nil, count: Int = 0, bytes: Int64 = 0,
            points: Int64 = 0
        ) {
            self.reason = reason
            self.experiment = experiment
            self.count = count
            self.bytes = bytes
            self.points = points
        }
    }

    /// Something that was deleted and stays all the same.
    package struct Kept: Codable, Sendable, Equatable {
        package var what: String
        package var why: String

        package init(what: String, why: String) {
            self.what = what
            self.why = why
        }
    }

    /// What was deleted before this moment counts; RFC 3339.
    package var cutoff: String
    package var lines: [Line]
    package var kept: [Kept]
    package var databaseBytes: Int64
    /// Of these, in pages that hold nothing.
    package var databaseFreeBytes: Int64

    package init(
        cutoff: String, lines: [Line] = [], kept: [Kept] = [], databaseBytes: Int64 = 0,
        databaseFreeBytes: Int64 = 0
    ) {
        self.cutoff = cutoff
        self.lines = lines
        self.kept = kept
        self.databaseBytes = databaseBytes
        self.databaseFreeBytes = databaseFreeBytes
    }
}

/// What would be freed: `?older_than=SECONDS`.
package enum ShowSpace: Endpoint {
    package typealias Reply = SpaceReport
    package static let action = Action.manage
    package static let method = EndpointMethod.get
    package static let path = "/api/v1/space"
    package static let summary = "What takes space that nothing needs, and why; changes nothing"
}

/// Frees it. One at a time; doing it again goes on where it was stopped.
package enum FreeSpace: Endpoint {
    package struct Body: Codable, Sendable, Equatable {
        /// Of the report that was shown.
        package var cutoff: String
        package init(cutoff: String) { self.cutoff = cutoff }
    }
    package struct Reply: Codable, Sendable, Equatable {
        package var freed: SpaceReport
        package var databaseBytesBefore: Int64

        package init(freed: SpaceReport, databaseBytesBefore: Int64) {
            self.freed = freed
            self.databaseBytesBefore = databaseBytesBefore
        }
    }
    package static let action = Action.manage
    package static let method = EndpointMethod.post
    package static let path = "/api/v1/space/collections"
    package static let summary = "Free what nothing needs"
}
