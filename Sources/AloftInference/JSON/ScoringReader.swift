/// Reads the body of an MLflow scoring request into a model's inputs: `dataframe_split`,
/// `dataframe_records`, `instances`, `inputs`, or CSV.
package struct ScoringReader {
    private let signature: ModelSignature
    private let columns: [String]?
    private let request: InferenceRequest

    /// - Parameter columns: the columns of the table that the model was trained on, in order.
    package static func read(
        _ body: UnsafeRawBufferPointer, isCSV: Bool, signature: ModelSignature, columns: [String]?,
        into request: InferenceRequest
    ) throws(InferenceError) {
        request.reset()
        let reader = Self(signature: signature, columns: columns, request: request)
        if isCSV {
            let table = try CSVTable.read(body)
            try table.fill(request, signature: signature, order: columns)
        } else {
            var cursor = JSONCursor(body)
            try reader.body(&cursor)
        }
        let given = request.tensors.entries.count
        guard given == signature.inputs.count else {
            let places = Set(request.tensors.entries.map(\.place))
            for (place, input) in signature.inputs.enumerated() where !places.contains(place) {
                throw .missingInput(input)
            }
            return
        }
        request.tensors.sortByPlace()
    }

    private static let forms = ["dataframe_split", "dataframe_records", "instances", "inputs"]

    private func body(_ cursor: inout JSONCursor) throws(InferenceError) {
        var form: String?
        guard try cursor.open(UInt8(ascii: "{"), close: UInt8(ascii: "}")) else {
            throw noForm
        }
        repeat {
            let key = String(decoding: try cursor.key().bytes, as: UTF8.self)
            guard Self.forms.contains(key) else {
                _ = cursor.peek()
                let start = cursor.position
                try cursor.skipValue()
                if key == "params" {
                    request.parameters = Array(cursor.slice(from: start, to: cursor.position))
                }
                continue
            }
            guard form == nil else {
                throw .badTable(reason: "The body has both \"\(form ?? "")\" and \"\(key)\".")
            }
            form = key
            switch key {
            case "dataframe_split": try fill(try split(&cursor))
            case "dataframe_records": try fill(try records(&cursor))
            default: try tensors(&cursor)
            }
        } while try cursor.more(until: UInt8(ascii: "}"))
        try cursor.expectEnd()
        if form == nil { throw noForm }
    }

    private var noForm: InferenceError {
        .badTable(
            reason: "The body has none of \"dataframe_split\", \"dataframe_records\", "
                + "\"instances\" and \"inputs\".")
    }

    private func fill(_ table: ScoringTable) throws(InferenceError) {
        try table.fill(request, signature: signature, order: columns)
    }

    // MARK: Tables

    private func split(_ cursor: inout JSONCursor) throws(InferenceError) -> ScoringTable {
        var table = ScoringTable(columns: [], rows: [])
        var hasColumns = false
        guard try cursor.open(UInt8(ascii: "{"), close: UInt8(ascii: "}")) else {
            throw .missingField(field: "columns", place: "\"dataframe_split\"")
        }
        repeat {
            let key = String(decoding: try cursor.key().bytes, as: UTF8.self)
            switch key {
            case "columns":
                hasColumns = true
                try array(&cursor) { (cursor) throws(InferenceError) in
                    table.columns.append(try cursor.string())
                }
            case "data":
                try array(&cursor) { (cursor) throws(InferenceError) in
                    var row: [TableCell] = []
                    try array(&cursor) { (cursor) throws(InferenceError) in
                        row.append(try cell(&cursor))
                    }
                    table.rows.append(row)
                }
            default: try cursor.skipValue()
            }
        } while try cursor.more(until: UInt8(ascii: "}"))
        if !hasColumns, let columns { table.columns = columns }
        for (index, row) in table.rows.enumerated() where row.count != table.columns.count {
            throw .badTable(
                reason: "Row \(index) has \(row.count) values; there are "
                    + "\(table.columns.count) columns.")
        }
        return table
    }

    private func records(_ cursor: inout JSONCursor) throws(InferenceError) -> ScoringTable {
        var table = ScoringTable(columns: [], rows: [])
        var places: [String: Int] = [:]
        try array(&cursor) { (cursor) throws(InferenceError) in
            var row = [TableCell](repeating: .missing, count: table.columns.count)
            if try cursor.open(UInt8(ascii: "{"), close: UInt8(ascii: "}")) {
                repeat {
                    let raw = try cursor.rawString()
                    let name =
                        raw.hasEscapes
                        ? String(decoding: try cursor.unescaped(raw), as: UTF8.self)
                        : String(decoding: raw.bytes, as: UTF8.self)
                    try cursor.expect(UInt8(ascii: ":"))
                    let value = try cell(&cursor)
                    if let place = places[name] {
                        row[place] = value
                    } else if table.columns.count < 10_000 {
                        places[name] = table.columns.count
                        table.columns.append(name)
                        row.append(value)
                    }
                } while try cursor.more(until: UInt8(ascii: "}"))
            }
            table.rows.append(row)
        }
        for index in table.rows.indices {
            while table.rows[index].count < table.columns.count {
                table.rows[index].append(.missing)
            }
        }
        return table
    }

    private func array(
        _ cursor: inout JSONCursor, _ member: (inout JSONCursor) throws(InferenceError) -> Void
    ) throws(InferenceError) {
        guard try cursor.open(UInt8(ascii: "["), close: UInt8(ascii: "]")) else { return }
        repeat { try member(&cursor) } while try cursor.more(until: UInt8(ascii: "]"))
    }

    private func cell(_ cursor: inout JSONCursor) throws(InferenceError) -> TableCell {
        switch cursor.peek() {
        case UInt8(ascii: "\""): return .text(try cursor.string())
        case UInt8(ascii: "t"), UInt8(ascii: "f"): return .boolean(try cursor.boolean())
        case UInt8(ascii: "n"):
            try cursor.literal("null")
            return .missing
        case UInt8(ascii: "["), UInt8(ascii: "{"):
            throw cursor.fault("a number, a string, true, false or null")
        default:
            let start = cursor
            if cursor.peek() != UInt8(ascii: "N"), cursor.peek() != UInt8(ascii: "I"),
                let whole = try? cursor.wholeNumber(),
                let value = Int64(exactly: whole.magnitude)
            {
                return .whole(whole.isNegative ? -value : value)
            }
            cursor = start
            return .number(try cursor.number())
        }
    }

    // MARK: Tensors

    /// `instances` or `inputs`: nested arrays for a model of one input, an object of them by name, or
    /// a list of records.
    private func tensors(_ cursor: inout JSONCursor) throws(InferenceError) {
        if cursor.peek() == UInt8(ascii: "{") {
            guard try cursor.open(UInt8(ascii: "{"), close: UInt8(ascii: "}")) else { return }
            repeat {
                let name = String(decoding: try cursor.key().bytes, as: UTF8.self)
                guard let place = signature.inputPlace(name) else {
                    throw .unknownInput(name: name, known: signature.inputs.map(\.name))
                }
                guard !request.tensors.entries.contains(where: { $0.place == place }) else {
                    throw .repeatedInput(name: name)
                }
                try tensor(&cursor, place: place)
            } while try cursor.more(until: UInt8(ascii: "}"))
            return
        }
        var probe = cursor
        try probe.expect(UInt8(ascii: "["))
        if probe.peek() == UInt8(ascii: "{") { return try fill(try records(&cursor)) }
        guard signature.inputs.count == 1 else {
            return try fill(try bareRows(&cursor))
        }
        try tensor(&cursor, place: 0)
    }

    /// Rows without names, for a model whose columns are inputs of their own.
    private func bareRows(_ cursor: inout JSONCursor) throws(InferenceError) -> ScoringTable {
        let names = columns ?? signature.inputs.map(\.name)
        var table = ScoringTable(columns: names, rows: [])
        try array(&cursor) { (cursor) throws(InferenceError) in
            var row: [TableCell] = []
            try array(&cursor) { (cursor) throws(InferenceError) in row.append(try cell(&cursor)) }
            guard row.count == names.count else {
                throw .badTable(
                    reason: "Row \(table.rows.count) has \(row.count) values; the model has "
                        + "\(names.count) columns.")
            }
            table.rows.append(row)
        }
        return table
    }

    /// Nested arrays whose shape is what they show: the first element at each level says how many.
    private func tensor(_ cursor: inout JSONCursor, place: Int) throws(InferenceError) {
        let input = signature.inputs[place]
        var shape: [Int64] = []
        var probe = cursor
        while probe.peek() == UInt8(ascii: "["), shape.count < 8 {
            var count: Int64 = 0
            var counter = probe
            if try counter.open(UInt8(ascii: "["), close: UInt8(ascii: "]")) {
                repeat {
                    try counter.skipValue()
                    count += 1
                } while try counter.more(until: UInt8(ascii: "]"))
            }
            shape.append(count)
            try probe.expect(UInt8(ascii: "["))
        }
        guard TensorShape.matches(shape, input.shape) else {
            throw .wrongShape(input: input, given: shape)
        }
        var reader = TensorDataReader(
            name: input.name, datatype: input.datatype, shape: shape, place: place,
            tensors: request.tensors)
        try reader.read(&cursor)
    }
}

/// CSV with a header line (RFC 4180).
enum CSVTable {
    static func read(_ body: UnsafeRawBufferPointer) throws(InferenceError) -> ScoringTable {
        var records: [[String]] = []
        var record: [String] = []
        var field: [UInt8] = []
        var isQuoted = false
        var index = 0
        func endField() {
            record.append(String(decoding: field, as: UTF8.self))
            field.removeAll(keepingCapacity: true)
        }
        while index < body.count {
            let byte = body[index]
            index += 1
            if isQuoted {
                if byte != UInt8(ascii: "\"") {
                    field.append(byte)
                } else if index < body.count, body[index] == byte {
                    field.append(byte)
                    index += 1
                } else {
                    isQuoted = false
                }
                continue
            }
            switch byte {
            case UInt8(ascii: "\""): isQuoted = true
            case UInt8(ascii: ","): endField()
            case UInt8(ascii: "\r"): break
            case UInt8(ascii: "\n"):
                endField()
                records.append(record)
                record = []
            default: field.append(byte)
            }
        }
        guard !isQuoted else { throw .badTable(reason: "The CSV ends within a quoted field.") }
        if !field.isEmpty || !record.isEmpty {
            endField()
            records.append(record)
        }
        guard let header = records.first, !header.isEmpty else {
            throw .badTable(reason: "The CSV has no header line with the names of the columns.")
        }
        let rows = records.dropFirst().filter { $0 != [""] }
        for (index, row) in rows.enumerated() where row.count != header.count {
            throw .badTable(
                reason: "Row \(index) of the CSV has \(row.count) fields; its header has "
                    + "\(header.count).")
        }
        return ScoringTable(columns: header, rows: rows.map { $0.map(TableCell.written) })
    }
}
