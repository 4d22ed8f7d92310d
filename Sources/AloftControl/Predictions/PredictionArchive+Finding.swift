import AloftArtifacts
import AloftDomain
package import AloftPredictionLog
package import AloftStore
package import Foundation

/// Finds predictions that were logged. Many may ask at once.
package struct PredictionFinder: Sendable {
    private let store: Store
    private let files: PredictionFiles

    /// Blocks looked at for one page, so that a narrow filter over much stays bounded; the page's
    /// cursor goes on from there.
    private static let blocksPerPage = 400

    package init(store: Store, folder: String) {
        self.store = store
        files = PredictionFiles(folder: folder)
    }

    /// - Throws: `PredictionError.invalidID`, `.notFound`; `.blockDamaged` where it may be in a block
    ///   that cannot be read.
    package func find(_ text: String) async throws -> LoggedPrediction {
        guard let id = PredictionID(text) else { throw PredictionError.invalidID(text) }
        let blocks = try await store.read { try PredictionQueries.candidates($0, id) }
        let files = files
        let (found, damaged) = try await BlockingWork.run {
            () -> (LoggedPrediction?, [PredictionBlockRecord]) in
            var damaged: [PredictionBlockRecord] = []
            for block in blocks {
                let data = try files.read(block)
                let match = data.withUnsafeBytes { bytes -> LoggedPrediction? in
                    guard let records = PredictionBlock.first(in: bytes)?.all() else {
                        damaged.append(block)
                        return nil
                    }
                    return records.first { $0.id.text == id.text }?.prediction
                }
                if let match { return (match, []) }
            }
            return (nil, damaged)
        }
        if let found { return found }
        if let block = try await stillThere(damaged).first {
            throw PredictionError.blockDamaged(
                id: id.text, file: files.name(of: block), place: block.place)
        }
        throw PredictionError.notFound(id.text)
    }

    /// Of these blocks the ones that retention did not let go meanwhile.
    private func stillThere(
        _ blocks: [PredictionBlockRecord]
    ) async throws -> [PredictionBlockRecord] {
        guard !blocks.isEmpty else { return [] }
        let known = try await store.read { db in
            try PredictionQueries.known(db, files: Set(blocks.map(\.file)))
        }
        return blocks.filter { known.contains($0.file) }
    }

    /// Which of them; the newest first.
    package struct Search: Sendable, Equatable {
        package var filter: PredictionQueries.Filter
        /// Not after this.
        package var until: Date?
        package var before: Cursor?
        /// At least 1.
        package var limit: Int

        package init(
            filter: PredictionQueries.Filter, until: Date? = nil, before: Cursor? = nil, limit: Int
        ) {
            self.filter = filter
            self.until = until
            self.before = before
            self.limit = limit
        }
    }

    /// Where a page ended: predictions after it, in the order of the list, are the next page.
    package struct Cursor: Sendable, Equatable {
        package var milliseconds: Int64
        package var id: String

        package init(milliseconds: Int64, id: String) {
            self.milliseconds = milliseconds
            self.id = id
        }

        /// `nil` unless `text` is one.
        package init?(_ text: String) {
            let words = text.pieces(at: "-", keepingEmpty: true)
            guard words.count == 2, let milliseconds = Int64(words[0]),
                (0...253_402_300_799_999).contains(milliseconds),
                words[1].isEmpty || PredictionID(String(words[1])) != nil
            else { return nil }
            self.init(milliseconds: milliseconds, id: String(words[1]))
        }

        package var text: String { "\(milliseconds)-\(id)" }
    }

    package struct Page: Sendable {
        /// Without what was asked and answered.
        package var predictions: [LoggedPrediction]
        package var next: Cursor?
        /// Blocks that might have held more and cannot be read.
        package var damagedBlocks = 0
    }

    /// Merges blocks, which overlap in time, into one list: a prediction is given out once every
    /// block that may hold a newer one was read.
    package func list(_ search: Search) async throws -> Page {
        var damaged: [PredictionBlockRecord] = []
        var page = try await list(search, &damaged)
        page.damagedBlocks = try await stillThere(damaged).count
        return page
    }

    private func list(
        _ search: Search, _ damaged: inout [PredictionBlockRecord]
    ) async throws -> Page {
        var merge = Merge(search)
        var earlier: PredictionBlockRecord?
        var seen = 0
        let until = merge.until
        while seen < Self.blocksPerPage {
            let after = earlier
            let blocks = try await store.read { db in
                try PredictionQueries.blocks(
                    db, search.filter, until: until, after: after, limit: 16)
            }
            for block in blocks {
                if merge.isFull(before: block.lastAt) { return merge.page(isWhole: false) }
                let files = files
                let data = try await BlockingWork.run { try files.read(block) }
                if !data.withUnsafeBytes({ merge.add($0) }) { damaged.append(block) }
                seen += 1
            }
            guard blocks.count == 16 else { return merge.page(isWhole: true) }
            earlier = blocks.last
        }
        return merge.page(upTo: earlier?.lastAt)
    }
}

/// Collects the records of blocks that come by their last time, the newest first.
private struct Merge {
    private let search: PredictionFinder.Search
    private var found: [LoggedPrediction] = []

    init(_ search: PredictionFinder.Search) { self.search = search }

    /// The last time that is of interest.
    var until: Date? {
        let cursor = search.before.map { Date(millisecondsSince1970: $0.milliseconds) }
        guard let until = search.until, let cursor else { return search.until ?? cursor }
        return min(until, cursor)
    }

    /// Returns whether the block can be read.
    mutating func add(_ bytes: UnsafeRawBufferPointer) -> Bool {
        guard let records = PredictionBlock.first(in: bytes)?.all() else { return false }
        for record in records where matches(record) {
            if let prediction = record.summary { found.append(prediction) }
        }
        return true
    }

    private func matches(_ record: PredictionRecord) -> Bool {
        let filter = search.filter
        if filter.hasErrors, record.status < 400 { return false }
        if let slow = filter.slowerThanMicroseconds, record.microseconds < slow { return false }
        if let since = filter.since, record.milliseconds < since.millisecondsSince1970 {
            return false
        }
        if let until = search.until, record.milliseconds > until.millisecondsSince1970 {
            return false
        }
        guard let cursor = search.before else { return true }
        if record.milliseconds != cursor.milliseconds {
            return record.milliseconds < cursor.milliseconds
        }
        return record.id.text < cursor.id
    }

    /// Whether the page is full with predictions after `time`, so that older blocks add nothing.
    mutating func isFull(before time: Date) -> Bool {
        guard found.count >= search.limit else { return false }
        sort()
        return found[search.limit - 1].receivedAt > time
    }

    private mutating func sort() {
        found.sort {
            $0.receivedAt != $1.receivedAt ? $0.receivedAt > $1.receivedAt : $0.id > $1.id
        }
    }

    mutating func page(isWhole: Bool) -> PredictionFinder.Page {
        sort()
        let shown = Array(found.prefix(search.limit))
        let hasMore = !isWhole || found.count > shown.count
        guard hasMore, let last = shown.last else { return .init(predictions: shown, next: nil) }
        return .init(
            predictions: shown,
            next: .init(milliseconds: last.receivedAt.millisecondsSince1970, id: last.id))
    }

    /// What is certain when blocks up to this time were read and more may come.
    mutating func page(upTo time: Date?) -> PredictionFinder.Page {
        sort()
        let bound = time ?? .distantPast
        let shown = Array(found.prefix { $0.receivedAt > bound }.prefix(search.limit))
        let next =
            shown.count == search.limit
            ? shown.last.map {
                PredictionFinder.Cursor(
                    milliseconds: $0.receivedAt.millisecondsSince1970, id: $0.id)
            }
            // Everything after this time was looked at: go on from its end.
            : PredictionFinder.Cursor(
                milliseconds: bound.millisecondsSince1970,
                id: String(repeating: "f", count: PredictionID.digitCount))
        return .init(predictions: shown, next: next)
    }
}
