/// Reads a table, in one of the forms of MLflow scoring, into a model's inputs. Nothing is made of it but
/// the tensors: it is counted first, then its cells go where the model has them.
struct TableReader {
    let signature: ModelSignature
    /// The columns of the table that the model was trained on, in order.
    let order: [String]?
    /// What the model's signature says of the columns; see `TableLayout`.
    let kinds: [Datatype?]
    let request: InferenceRequest
    let body: UnsafeRawBufferPointer

    /// What the model takes; `nil` where it takes the table's own columns.
    var wanted: [String]? {
        order ?? (signature.inputs.count > 1 ? signature.inputs.map(\.name) : nil)
    }

    /// Rows may leave columns out, and each is stored all the same: the table must not take more than
    /// this times its text, in bytes.
    private static let growth = 6
    private static let freeBytes = 512 << 10

    func layout(_ names: [String]) throws(InferenceError) -> TableLayout {
        try TableLayout(signature, names: names, kinds: kinds)
    }

    /// The bytes that its tensors may take.
    var sizeLimit: Int {
        min(Self.growth * body.count + Self.freeBytes, request.tensors.limitBytes)
    }

    /// Refuses a table that would be much larger than its text.
    func checkSize(_ layout: TableLayout, rows: Int) throws(InferenceError) {
        try layout.check(rows: rows)
        let missing = request.tensors.missingText?.count ?? 0
        let size = rows.multipliedReportingOverflow(by: layout.rowBytes(missingText: missing))
        let limit = sizeLimit
        guard !size.overflow, size.partialValue <= limit else {
            throw .badTable(
                reason: "The table leaves most of its values out: \(rows) rows of "
                    + "\(layout.slotCount) columns would take "
                    + (size.overflow ? "more than any memory" : "\(size.partialValue) bytes")
                    + ", and a body of \(body.count) bytes may make at most \(limit). "
                    + "Send fewer rows at once.")
        }
    }

    /// Lays out a table whose columns come by their names, and fills the tensors.
    ///
    /// - Parameters:
    ///   - mayMiss: whether a row may lack a column.
    ///   - walk: hands each cell to the slots of its column, which stand at the column's first place.
    func fill(
        _ columns: ColumnNames, rows: Int, mayMiss: Bool,
        _ walk: ([[Int]], inout TableSink) throws(InferenceError) -> Void
    ) throws(InferenceError) {
        let layout = try layout(columns.names)
        try checkSize(layout, rows: rows)
        var slots = columns.names.map { _ in [Int]() }
        for (place, of) in layout.slotsOfNames.enumerated() {
            slots[columns.firstPlace(place)] += of
        }
        var sink = TableSink(
            layout, body: body, isCSV: false, mayMiss: mayMiss,
            missingText: request.tensors.missingText
        ) { "\($0)" }
        try fill(layout, &sink, rows: rows) { (sink) throws(InferenceError) in
            try walk(slots, &sink)
        }
    }

    /// Walks over the table once or twice, and fills the tensors.
    ///
    /// - Parameter walk: hands each cell to the sink.
    func fill(
        _ layout: TableLayout, _ sink: inout TableSink, rows: Int,
        _ walk: (inout TableSink) throws(InferenceError) -> Void
    ) throws(InferenceError) {
        if layout.hasStrings { try walk(&sink) }
        let tensors = request.tensors
        let entries = try layout.append(rows: rows, stringBytes: sink.stringBytes, to: tensors)
        sink.write(to: entries.map { tensors.memory(of: tensors.entries[$0]) }, rows: rows)
        try walk(&sink)
    }
}
