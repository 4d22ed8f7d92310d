package import AloftDomain
package import Foundation

/// A file of predictions: those of one endpoint on one day (UTC), or a part of them.
package struct PredictionFileRecord: Sendable, Equatable {
    package var id: Int64
    package var endpoint: String
    /// `2026-11-24`.
    package var day: String
    /// How much of the file counts; what a crash left behind it does not.
    package var bytes: Int64
    package var records: Int64

    package init(id: Int64, endpoint: String, day: String, bytes: Int64, records: Int64) {
        self.id = id
        self.endpoint = endpoint
        self.day = day
        self.bytes = bytes
        self.records = records
    }
}

/// What a block of a file holds: predictions of one revision, made by one event loop of a gateway
/// within one minute.
package struct PredictionBlockRecord: Sendable, Equatable {
    package var file: Int64
    /// Where the block begins in its file, in bytes.
    package var place: Int64
    package var bytes: Int64
    package var endpoint: String
    package var revision: RevisionID
    package var incarnation: UInt64
    package var loop: UInt8
    package var firstSequence: UInt64
    package var lastSequence: UInt64
    package var firstAt: Date
    package var lastAt: Date
    package var records: Int
    package var errors: Int
    package var slowestMicroseconds: Int
    /// The file's day; part of its path.
    package var day: String
    /// The row's own number; 0 before it is stored.
    package var id: Int64

    package init(
        file: Int64, place: Int64, bytes: Int64, endpoint: String, revision: RevisionID,
        incarnation: UInt64, loop: UInt8, firstSequence: UInt64, lastSequence: UInt64,
        firstAt: Date, lastAt: Date, records: Int, errors: Int, slowestMicroseconds: Int,
        day: String, id: Int64 = 0
    ) {
        self.file = file
        self.place = place
        self.bytes = bytes
        self.endpoint = endpoint
        self.revision = revision
        self.incarnation = incarnation
        self.loop = loop
        self.firstSequence = firstSequence
        self.lastSequence = lastSequence
        self.firstAt = firstAt
        self.lastAt = lastAt
        self.records = records
        self.errors = errors
        self.slowestMicroseconds = slowestMicroseconds
        self.day = day
        self.id = id
    }
}

/// What predictions take on disk, and what was let go.
package struct PredictionTotals: Sendable, Equatable {
    package var records: Int64 = 0
    package var bytes: Int64 = 0
    package var oldestDay: String?
    package var expiredRecords: Int64 = 0
    package var expiredBytes: Int64 = 0
}
