extension TableReader {
    /// More columns than this are not taken from records that name them as they like.
    private static let mostOwnColumns = 10_000

    /// `[{"name": value, …}, …]`. What a record does not name is missing; what the model does not take is
    /// stepped over.
    func records(_ cursor: inout JSONCursor) throws(InferenceError) {
        let start = cursor
        let rows: Int
        var columns: ColumnNames
        if let wanted {
            columns = ColumnNames(wanted)
            rows = try each(&cursor, &columns) { (columns, place, cursor) throws(InferenceError) in
                columns.note(place)
                try CellValue.skip(&cursor)
            } endRow: { (_: inout ColumnNames) in
            }
            try columns.checkComplete()
        } else {
            var own = OwnColumns()
            rows = try own.read(&cursor, limit: Self.mostOwnColumns)
            columns = ColumnNames(own.names)
        }
        try fill(columns, rows: rows, mayMiss: true) { (slots, sink) throws(InferenceError) in
            var again = start
            var walk = Walk(columns: columns, slots: slots, sink: sink)
            _ = try each(&again, &walk) { (walk, place, cursor) throws(InferenceError) in
                try walk.take(place, &cursor)
            } endRow: { (walk) throws(InferenceError) in
                try walk.sink.endRow()
            }
            sink = walk.sink
        }
    }

    private struct Walk: ColumnFinder {
        let columns: ColumnNames
        let slots: [[Int]]
        var sink: TableSink

        func place(_ name: UnsafeRawBufferPointer, hint: Int) -> Int? {
            columns.place(name, hint: hint)
        }

        mutating func take(_ place: Int, _ cursor: inout JSONCursor) throws(InferenceError) {
            let start = cursor
            var isTaken = false
            for slot in slots[place] {
                cursor = start
                try sink.take(slot, &cursor)
                isTaken = true
            }
            if !isTaken { try CellValue.skip(&cursor) }
        }
    }

    /// Hands over each member of each record that is a column of the model.
    ///
    /// - Returns: the number of records.
    private func each<Finder: ColumnFinder>(
        _ cursor: inout JSONCursor, _ finder: inout Finder,
        _ member: (inout Finder, Int, inout JSONCursor) throws(InferenceError) -> Void,
        endRow: (inout Finder) throws(InferenceError) -> Void
    ) throws(InferenceError) -> Int {
        var rows = 0
        guard try cursor.open(UInt8(ascii: "["), close: UInt8(ascii: "]")) else { return 0 }
        repeat {
            var hint = 0
            if try cursor.open(UInt8(ascii: "{"), close: UInt8(ascii: "}")) {
                repeat {
                    let raw = try cursor.key()
                    let place: Int?
                    if raw.hasEscapes {
                        let name = try cursor.unescaped(raw)
                        place = name.withUnsafeBytes { finder.place($0, hint: hint) }
                    } else {
                        place = finder.place(raw.bytes, hint: hint)
                    }
                    if let place {
                        hint = place + 1
                        try member(&finder, place, &cursor)
                    } else {
                        // A column that the model does not take may hold anything.
                        try cursor.skipValue()
                    }
                } while try cursor.more(until: UInt8(ascii: "}"))
            }
            try endRow(&finder)
            rows += 1
        } while try cursor.more(until: UInt8(ascii: "]"))
        return rows
    }
}

/// Finds the place of a column by its name.
private protocol ColumnFinder {
    func place(_ name: UnsafeRawBufferPointer, hint: Int) -> Int?
}

extension ColumnNames: ColumnFinder {}

/// The columns that records name, in the order in which they come first.
private struct OwnColumns {
    private(set) var names: [String] = []
    private var known: Set<String> = []

    /// - Returns: the number of records.
    mutating func read(
        _ cursor: inout JSONCursor, limit: Int
    ) throws(InferenceError) -> Int {
        var rows = 0
        guard try cursor.open(UInt8(ascii: "["), close: UInt8(ascii: "]")) else { return 0 }
        repeat {
            var hint = 0
            if try cursor.open(UInt8(ascii: "{"), close: UInt8(ascii: "}")) {
                repeat {
                    let raw = try cursor.key()
                    try note(raw, cursor, &hint, limit)
                    try CellValue.skip(&cursor)
                } while try cursor.more(until: UInt8(ascii: "}"))
            }
            rows += 1
        } while try cursor.more(until: UInt8(ascii: "]"))
        return rows
    }

    private mutating func note(
        _ raw: JSONCursor.RawString, _ cursor: JSONCursor, _ hint: inout Int, _ limit: Int
    ) throws(InferenceError) {
        if hint < names.count, !raw.hasEscapes, ModelSignature.equal(names[hint], raw.bytes) {
            hint += 1
            return
        }
        let name =
            raw.hasEscapes
            ? String(decoding: try cursor.unescaped(raw), as: UTF8.self)
            : String(decoding: raw.bytes, as: UTF8.self)
        guard known.insert(name).inserted else { return }
        guard names.count < limit else {
            throw .badTable(
                reason: "The records name more than \(limit) columns, and the model says none.")
        }
        names.append(name)
        hint = names.count
    }
}
