extension TableReader {
    private static let open = UInt8(ascii: "[")
    private static let close = UInt8(ascii: "]")

    /// Whether an object holds a table's columns by their names, and not a model's tensors: its first known
    /// member is a column, and a list of values or one value.
    func isByColumn(_ start: JSONCursor) throws(InferenceError) -> Bool {
        guard let order else { return false }
        let columns = ColumnNames(order)
        var cursor = start
        guard try cursor.open(UInt8(ascii: "{"), close: UInt8(ascii: "}")) else { return false }
        repeat {
            let place = try Self.place(try cursor.key(), cursor, columns, hint: 0)
            guard place != nil else {
                try cursor.skipValue()
                continue
            }
            guard cursor.take(Self.open) else { return true }
            return cursor.peek() != Self.open
        } while try cursor.more(until: UInt8(ascii: "}"))
        return false
    }

    /// `{"name": [value, …], …}`: lists of one length, or a value each.
    func byColumn(_ cursor: inout JSONCursor) throws(InferenceError) {
        var columns = ColumnNames(order ?? [])
        var lists: [List] = []
        guard try cursor.open(UInt8(ascii: "{"), close: UInt8(ascii: "}")) else { return }
        repeat {
            let key = try cursor.key()
            let place = try Self.place(key, cursor, columns, hint: lists.count)
            var list = List(place: place ?? -1, start: cursor)
            try list.count(&cursor)
            list.bytes = cursor.position - list.start.position
            guard let place else { continue }
            guard columns.columns[place] < 0 else {
                throw .repeatedInput(name: columns.names[place])
            }
            columns.note(place)
            lists.append(list)
        } while try cursor.more(until: UInt8(ascii: "}"))
        try columns.checkComplete()
        // One value beside lists stands in every row.
        let first = lists.first(where: \.isList) ?? lists.first
        let rows = first?.length ?? 0
        if let first, let odd = lists.first(where: { $0.isList && $0.length != rows }) {
            throw .badTable(
                reason: "The columns have different lengths: \"\(columns.names[odd.place])\" has "
                    + "\(odd.length) values, \"\(columns.names[first.place])\" has \(rows).")
        }
        try checkRepeated(lists, rows: rows)
        try fill(columns, rows: rows, mayMiss: false) { (slots, sink) throws(InferenceError) in
            var lists = lists
            for index in lists.indices { try lists[index].begin() }
            for _ in 0..<max(rows, 0) {
                for index in lists.indices {
                    try lists[index].next(slots[lists[index].place], &sink)
                }
                try sink.endRow()
            }
        }
    }

    /// A value that stands in every row is read, and kept, as often: one of a long text would take more than
    /// its body can ask for.
    private func checkRepeated(_ lists: [List], rows: Int) throws(InferenceError) {
        let once = lists.reduce(0) { $0 + ($1.isList ? 0 : $1.bytes) }
        let size = once.multipliedReportingOverflow(by: rows)
        guard rows > 1, size.overflow || size.partialValue > sizeLimit else { return }
        throw .badTable(
            reason:
                "The values that stand in every row have \(once) bytes, and there are \(rows) rows. Send "
                + "fewer rows at once.")
    }

    private static func place(
        _ key: JSONCursor.RawString, _ cursor: JSONCursor, _ columns: ColumnNames, hint: Int
    ) throws(InferenceError) -> Int? {
        guard key.hasEscapes else { return columns.place(key.bytes, hint: hint) }
        return try cursor.unescaped(key).withUnsafeBytes { columns.place($0, hint: hint) }
    }

    /// The values of one column as they lie in the body.
    private struct List {
        let place: Int
        /// Before the list, then before its next value.
        var start: JSONCursor
        var length = 0
        var isList = true
        /// What it takes in the body.
        var bytes = 0

        init(place: Int, start: JSONCursor) {
            self.place = place
            self.start = start
        }

        mutating func count(_ cursor: inout JSONCursor) throws(InferenceError) {
            guard cursor.peek() == TableReader.open else {
                isList = false
                length = 1
                return try place < 0 ? cursor.skipValue() : CellValue.skip(&cursor)
            }
            if place < 0 { return try cursor.skipValue() }
            guard try cursor.open(TableReader.open, close: TableReader.close) else { return }
            repeat {
                try CellValue.skip(&cursor)
                length += 1
            } while try cursor.more(until: TableReader.close)
        }

        mutating func begin() throws(InferenceError) {
            if isList { _ = try start.open(TableReader.open, close: TableReader.close) }
        }

        mutating func next(
            _ slots: [Int], _ sink: inout TableSink
        ) throws(InferenceError) {
            let value = start
            if slots.isEmpty { try CellValue.skip(&start) }
            for slot in slots {
                start = value
                try sink.take(slot, &start)
            }
            if isList {
                _ = try start.more(until: TableReader.close)
            } else {
                start = value
            }
        }
    }
}
