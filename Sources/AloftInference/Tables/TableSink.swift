/// Takes a table's cells, row by row, and writes each where the model has it. Nothing of the table is kept
/// but the places of one row's strings.
///
/// Strings have no size of their own, so a table with some is gone through twice: measured, then written.
struct TableSink {
    private enum Mode {
        case measuring
        case writing
    }

    private let layout: TableLayout
    private let body: UnsafeRawBufferPointer
    private let isCSV: Bool
    /// Whether a row may lack a column; then it is looked which came.
    private let mayMiss: Bool
    private let ownName: (Int) -> String
    private var mode = Mode.measuring
    private var row = 0
    private var seen = 0
    /// For each slot the row that it came in last, counted from 1.
    private var marks: [UInt32] = []
    /// Where in the body this row's strings are, by slot; -1 for none.
    private var strings: [Int] = []
    /// What each tensor of strings takes, measured or written.
    private(set) var stringBytes: [Int]
    private var bases: [UnsafeMutableRawPointer] = []
    /// What the tensors have room for.
    private var rowLimit = Int.max
    private var stringLimits: [Int] = []
    private var scratch: [UInt8] = []
    /// What is written for a text that is missing; empty where the model takes it for that.
    private let missingText: [UInt8]

    /// - Parameter ownName: the name of a column, where the table's own are taken.
    init(
        _ layout: TableLayout, body: UnsafeRawBufferPointer, isCSV: Bool, mayMiss: Bool,
        missingText: [UInt8]?, ownName: @escaping (Int) -> String
    ) {
        self.layout = layout
        self.body = body
        self.isCSV = isCSV
        self.mayMiss = mayMiss
        self.missingText = missingText ?? []
        self.ownName = ownName
        stringBytes = layout.tensors.map { _ in 0 }
        if mayMiss { marks = layout.indices.map { _ in 0 } }
        if layout.hasStrings { strings = layout.indices.map { _ in -1 } }
    }

    /// Begins to write, into tensors that `TableLayout.append` made for so many rows and that move no more.
    mutating func write(to bases: [UnsafeMutableRawPointer], rows: Int) {
        self.bases = bases
        rowLimit = rows
        stringLimits = stringBytes
        mode = .writing
        row = 0
        for index in stringBytes.indices { stringBytes[index] = 0 }
        for index in marks.indices { marks[index] = 0 }
    }

    // MARK: Cells

    /// Takes the value that follows as this slot of the row.
    mutating func take(_ index: Int, _ cursor: inout JSONCursor) throws(InferenceError) {
        let slot = layout.slot(index)
        let tensor = layout.tensors[slot.tensor]
        if mayMiss { mark(index) }
        guard tensor.datatype != .bytes else {
            _ = cursor.peek()
            strings[index] = cursor.position
            return try CellValue.skip(&cursor)
        }
        guard case .writing = mode else { return try CellValue.skip(&cursor) }
        let target = try address(slot, tensor)
        let kind = layout.kind(slot)
        guard try CellValue.store(&cursor, as: tensor.datatype, kind: kind, at: target) else {
            throw bad(slot, kind ?? tensor.datatype)
        }
    }

    mutating func take(
        _ index: Int, _ field: CSVCursor.Field, of cursor: CSVCursor
    ) throws(InferenceError) {
        let slot = layout.slot(index)
        let tensor = layout.tensors[slot.tensor]
        guard tensor.datatype != .bytes else {
            strings[index] = field.range.lowerBound
            return
        }
        guard case .writing = mode else { return }
        let target = try address(slot, tensor)
        let kind = layout.kind(slot)
        let isGood = cursor.withText(of: field, &scratch) {
            CellValue.store($0, as: tensor.datatype, kind: kind, at: target)
        }
        guard isGood else { throw bad(slot, kind ?? tensor.datatype) }
    }

    mutating func endRow() throws(InferenceError) {
        if mayMiss, seen < layout.slotCount, case .writing = mode { try fillMissing() }
        if !strings.isEmpty {
            for index in strings.indices {
                let slot = layout.slot(index)
                guard layout.tensors[slot.tensor].datatype == .bytes else { continue }
                try endString(slot, at: strings[index])
                strings[index] = -1
            }
        }
        seen = 0
        row += 1
    }

    private mutating func mark(_ index: Int) {
        let number = UInt32(truncatingIfNeeded: row &+ 1)
        if marks[index] != number {
            marks[index] = number
            seen += 1
        }
    }

    private func fillMissing() throws(InferenceError) {
        let number = UInt32(truncatingIfNeeded: row &+ 1)
        for index in marks.indices where marks[index] != number {
            let slot = layout.slot(index)
            let tensor = layout.tensors[slot.tensor]
            guard tensor.datatype != .bytes else { continue }
            guard try CellValue.storeMissing(as: tensor.datatype, at: address(slot, tensor)) else {
                throw bad(slot, tensor.datatype)
            }
        }
    }

    private func address(
        _ slot: TableLayout.Slot, _ tensor: TableLayout.Tensor
    ) throws(InferenceError) -> UnsafeMutableRawPointer {
        guard row < rowLimit else { throw Self.changed }
        let element = row * tensor.rowElements + slot.element
        return bases[slot.tensor] + element * tensor.datatype.elementBytes
    }

    // MARK: Strings

    private mutating func endString(
        _ slot: TableLayout.Slot, at position: Int
    ) throws(InferenceError) {
        let length =
            position < 0
            ? missing(slot)
            : isCSV ? try fieldText(slot, at: position) : try string(slot, at: position)
        if case .writing = mode {
            // What was measured is there once more.
            guard stringBytes[slot.tensor] + 4 + length <= stringLimits[slot.tensor] else {
                throw Self.changed
            }
            (bases[slot.tensor] + stringBytes[slot.tensor]).storeBytes(
                of: UInt32(truncatingIfNeeded: length).littleEndian, as: UInt32.self)
        }
        stringBytes[slot.tensor] += 4 + length
    }

    private func missing(_ slot: TableLayout.Slot) -> Int {
        missingText.withUnsafeBytes { copy($0, slot) }
        return missingText.count
    }

    /// Measures or writes a JSON string, and returns its length; null is a missing one.
    private mutating func string(
        _ slot: TableLayout.Slot, at position: Int
    ) throws(InferenceError) -> Int {
        var cursor = JSONCursor(body, from: position)
        if cursor.takeLiteral("null") { return missing(slot) }
        guard cursor.peek() == UInt8(ascii: "\"") else { throw bad(slot, .bytes) }
        let raw = try cursor.rawString()
        guard raw.hasEscapes else {
            copy(raw.bytes, slot)
            return raw.bytes.count
        }
        let bytes = try cursor.unescaped(raw)
        bytes.withUnsafeBytes { copy($0, slot) }
        return bytes.count
    }

    /// The same for a field of CSV. Bytes that are no UTF-8 become U+FFFD.
    private mutating func fieldText(
        _ slot: TableLayout.Slot, at position: Int
    ) throws(InferenceError) -> Int {
        var cursor = CSVCursor(body, from: position)
        let field = try cursor.next()
        // Nothing between two commas says that a value is missing, as in MLflow.
        if field.length == 0 { return missing(slot) }
        var memory: [UInt8] = []
        swap(&memory, &scratch)
        defer { swap(&memory, &scratch) }
        return cursor.withText(of: field, &memory) { bytes in
            if CSVWords.isMissing(bytes) { return missing(slot) }
            guard String(validating: bytes, as: UTF8.self) == nil else {
                copy(bytes, slot)
                return bytes.count
            }
            var text = String(decoding: bytes, as: UTF8.self)
            return text.withUTF8 {
                copy(UnsafeRawBufferPointer($0), slot)
                return $0.count
            }
        }
    }

    private func copy(_ bytes: UnsafeRawBufferPointer, _ slot: TableLayout.Slot) {
        guard case .writing = mode,
            stringBytes[slot.tensor] + 4 + bytes.count <= stringLimits[slot.tensor]
        else { return }
        (bases[slot.tensor] + stringBytes[slot.tensor] + 4).copyBytes(from: bytes)
    }

    // MARK: Faults

    private static let changed = InferenceError.badTable(
        reason: "The table has more rows than were counted.")

    private func bad(_ slot: TableLayout.Slot, _ datatype: Datatype) -> InferenceError {
        let name = layout.isOwn ? ownName(slot.name) : layout.names[slot.name]
        return .badTable(
            reason:
                "Column \"\(name)\", row \(row): the value is not \(datatype.name), which the "
                + "model takes there.")
    }
}
