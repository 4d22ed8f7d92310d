extension TableReader {
    /// CSV with a header line.
    func csv() throws(InferenceError) {
        var cursor = CSVCursor(body, from: CSVCursor.start(of: body))
        guard cursor.hasMore else {
            throw .badTable(reason: "The CSV has no header line with the names of the columns.")
        }
        var columns = wanted.map(ColumnNames.init)
        var width = 0
        var scratch: [UInt8] = []
        while true {
            let field = try cursor.next()
            cursor.withText(of: field, &scratch) { columns?.found($0, at: width) }
            width += 1
            if field.endsRecord { break }
        }
        let first = cursor.position
        try columns?.checkComplete()
        let rows = try count(from: first, width: width)
        let layout =
            if let columns {
                try layout(columns.names)
            } else {
                try TableLayout(signature, ownColumns: width)
            }
        try checkSize(layout, rows: rows)
        let picks = ColumnPicks(layout, columns?.columns ?? [])
        var sink = TableSink(
            layout, body: body, isCSV: true, mayMiss: false,
            missingText: request.tensors.missingText
        ) { name(of: $0) }
        try fill(layout, &sink, rows: rows) { (sink) throws(InferenceError) in
            try walk(from: first, picks, &sink)
        }
    }

    /// The number of rows that are not blank.
    private func count(from start: Int, width: Int) throws(InferenceError) -> Int {
        var cursor = CSVCursor(body, from: start)
        var rows = 0
        while cursor.hasMore {
            var fields = 0
            var isBlank = true
            while true {
                let field = try cursor.next()
                fields += 1
                isBlank = isBlank && cursor.isBlank(field)
                if field.endsRecord { break }
            }
            if fields == 1, isBlank { continue }
            guard fields == width else {
                throw .badTable(
                    reason: "Row \(rows) of the CSV has \(fields) fields; its header has "
                        + "\(width).")
            }
            rows += 1
        }
        return rows
    }

    private func walk(
        from start: Int, _ picks: ColumnPicks, _ sink: inout TableSink
    ) throws(InferenceError) {
        var cursor = CSVCursor(body, from: start)
        while cursor.hasMore {
            var column = 0
            var next = 0
            var isBlank = false
            while true {
                let field = try cursor.next()
                if column == 0, field.endsRecord, cursor.isBlank(field) {
                    isBlank = true
                    break
                }
                while let slot = picks.slot(of: column, &next) {
                    try sink.take(slot, field, of: cursor)
                }
                column += 1
                if field.endsRecord { break }
            }
            if !isBlank { try sink.endRow() }
        }
    }

    /// The name of one column, for an error.
    private func name(of column: Int) -> String {
        var cursor = CSVCursor(body, from: CSVCursor.start(of: body))
        var scratch: [UInt8] = []
        for _ in 0..<max(column, 0) {
            guard let field = try? cursor.next(), !field.endsRecord else { return "\(column)" }
        }
        guard let field = try? cursor.next() else { return "\(column)" }
        return cursor.withText(of: field, &scratch) {
            String(decoding: $0.prefix(400), as: UTF8.self)
        }
    }
}
