extension TableReader {
    private static let open = UInt8(ascii: "[")
    private static let close = UInt8(ascii: "]")

    /// Rows as lists, and how they lie in the body.
    private struct Rows {
        var start: JSONCursor
        var count = 0
        /// The number of cells of the first row.
        var width: Int?
        /// The first row of another width.
        var odd: (row: Int, width: Int)?
    }

    // MARK: dataframe_split

    /// `{"columns": […], "data": [[…], …]}`, in either order.
    func split(_ cursor: inout JSONCursor) throws(InferenceError) {
        var header: JSONCursor?
        var rows: Rows?
        var index: Int?
        guard try cursor.open(UInt8(ascii: "{"), close: UInt8(ascii: "}")) else {
            throw .missingField(field: "columns", place: "\"dataframe_split\"")
        }
        repeat {
            let key = try cursor.key()
            if BytesEqual.equal(key.bytes, "columns") {
                guard header == nil else { throw cursor.fault("\"columns\" only once") }
                header = cursor
                try cursor.skipValue()
            } else if BytesEqual.equal(key.bytes, "data") {
                guard rows == nil else { throw cursor.fault("\"data\" only once") }
                rows = try count(&cursor)
            } else if BytesEqual.equal(key.bytes, "index") {
                index = try length(&cursor)
            } else {
                let name = String(decoding: key.bytes.prefix(100), as: UTF8.self)
                throw .badTable(
                    reason: "\"dataframe_split\" has \"columns\", \"data\" and \"index\", and not "
                        + "\"\(name)\".")
            }
        } while try cursor.more(until: UInt8(ascii: "}"))
        guard let found = rows else {
            throw .missingField(field: "data", place: "\"dataframe_split\"")
        }
        if let index, index != found.count {
            throw .badTable(
                reason: "\"index\" has \(index) values, \"data\" \(found.count) rows.")
        }
        try fill(found, header: header)
    }

    /// How many values a list has; `nil` where there is none.
    private func length(_ cursor: inout JSONCursor) throws(InferenceError) -> Int? {
        guard cursor.peek() == Self.open else {
            try cursor.skipValue()
            return nil
        }
        var count = 0
        guard try cursor.open(Self.open, close: Self.close) else { return count }
        repeat {
            try cursor.skipValue()
            count += 1
        } while try cursor.more(until: Self.close)
        return count
    }

    private func fill(_ rows: Rows, header: JSONCursor?) throws(InferenceError) {
        var columns = wanted.map(ColumnNames.init)
        var width = 0
        if let header {
            width = try read(header, &columns)
        } else if let order {
            // The model's own, in its order.
            width = order.count
            columns = ColumnNames(order)
            for (place, name) in order.enumerated() {
                var name = name
                name.withUTF8 { columns?.found(UnsafeRawBufferPointer($0), at: place) }
            }
        } else if columns == nil {
            width = rows.width ?? 0
        }
        if let twin = columns?.twin {
            throw .badTable(reason: "The table has two columns \"\(twin)\".")
        }
        if let fault = unequal(rows, width) {
            throw .badTable(
                reason: "Row \(fault.row) has \(fault.width) values; there are \(width) columns.")
        }
        try columns?.checkComplete()
        let layout =
            if let columns {
                try layout(columns.names)
            } else {
                try TableLayout(signature, ownColumns: width)
            }
        try fill(layout, rows, columns?.columns ?? []) { Self.name(of: $0, in: header) }
    }

    private func unequal(_ rows: Rows, _ width: Int) -> (row: Int, width: Int)? {
        if let first = rows.width, first != width { return (0, first) }
        return rows.odd
    }

    private func fill(
        _ layout: TableLayout, _ rows: Rows, _ columns: [Int],
        ownName: @escaping (Int) -> String
    ) throws(InferenceError) {
        try checkSize(layout, rows: rows.count)
        let picks = ColumnPicks(layout, columns)
        var sink = TableSink(
            layout, body: body, isCSV: false, mayMiss: false,
            missingText: request.tensors.missingText, ownName: ownName)
        try fill(layout, &sink, rows: rows.count) { (sink) throws(InferenceError) in
            if rows.count > 0 { try walk(rows.start, picks, &sink) }
        }
    }

    // MARK: Rows without names

    /// Rows for a model whose columns are inputs of their own.
    func bareRows(_ cursor: inout JSONCursor) throws(InferenceError) {
        let names = order ?? signature.inputs.map(\.name)
        let rows = try count(&cursor)
        if let fault = unequal(rows, names.count), rows.count > 0 {
            throw .badTable(
                reason: "Row \(fault.row) has \(fault.width) values; the model has "
                    + "\(names.count) columns.")
        }
        let layout = try layout(names)
        try fill(layout, rows, Array(names.indices)) { "\($0)" }
    }

    // MARK: Walking

    /// Steps over the rows and counts them.
    private func count(_ cursor: inout JSONCursor) throws(InferenceError) -> Rows {
        var rows = Rows(start: cursor)
        guard try cursor.open(Self.open, close: Self.close) else { return rows }
        repeat {
            var width = 0
            if try cursor.open(Self.open, close: Self.close) {
                repeat {
                    // What a column holds that the model takes is looked at when it is taken.
                    try cursor.skipValue()
                    width += 1
                } while try cursor.more(until: Self.close)
            }
            if let first = rows.width {
                if width != first, rows.odd == nil { rows.odd = (rows.count, width) }
            } else {
                rows.width = width
            }
            rows.count += 1
        } while try cursor.more(until: Self.close)
        return rows
    }

    private func walk(
        _ start: JSONCursor, _ picks: ColumnPicks, _ sink: inout TableSink
    ) throws(InferenceError) {
        var cursor = start
        guard try cursor.open(Self.open, close: Self.close) else { return }
        repeat {
            var column = 0
            var next = 0
            if try cursor.open(Self.open, close: Self.close) {
                repeat {
                    try sink.take(picks, column, &next, &cursor)
                    column += 1
                } while try cursor.more(until: Self.close)
            }
            try sink.endRow()
        } while try cursor.more(until: Self.close)
    }

    /// Counts the names of a table's columns, and finds those that the model takes.
    private func read(
        _ header: JSONCursor, _ columns: inout ColumnNames?
    ) throws(InferenceError) -> Int {
        var cursor = header
        var count = 0
        guard try cursor.open(Self.open, close: Self.close) else { return 0 }
        repeat {
            guard cursor.peek() == UInt8(ascii: "\"") else {
                // pandas numbers columns that nobody named.
                let start = cursor.position
                try CellValue.skip(&cursor)
                columns?.found(cursor.slice(from: start, to: cursor.position), at: count)
                count += 1
                continue
            }
            let raw = try cursor.rawString()
            if raw.hasEscapes {
                let name = try cursor.unescaped(raw)
                name.withUnsafeBytes { columns?.found($0, at: count) }
            } else {
                columns?.found(raw.bytes, at: count)
            }
            count += 1
        } while try cursor.more(until: Self.close)
        return count
    }

    /// The name of one column, for an error.
    private static func name(of column: Int, in header: JSONCursor?) -> String {
        guard var cursor = header else { return "\(column)" }
        do throws(InferenceError) {
            guard try cursor.open(open, close: close) else { return "\(column)" }
            for _ in 0..<max(column, 0) {
                try cursor.skipValue()
                guard try cursor.more(until: close) else { return "\(column)" }
            }
            guard cursor.peek() == UInt8(ascii: "\"") else { return "\(column)" }
            return String(decoding: try cursor.rawString().bytes.prefix(400), as: UTF8.self)
        } catch {
            return "\(column)"
        }
    }
}

extension TableSink {
    /// Hands the cell that follows to each slot that takes it, or steps over it.
    fileprivate mutating func take(
        _ picks: ColumnPicks, _ column: Int, _ next: inout Int, _ cursor: inout JSONCursor
    ) throws(InferenceError) {
        guard var slot = picks.slot(of: column, &next) else { return try cursor.skipValue() }
        while true {
            let start = cursor
            try take(slot, &cursor)
            guard let other = picks.slot(of: column, &next) else { return }
            slot = other
            cursor = start
        }
    }
}
