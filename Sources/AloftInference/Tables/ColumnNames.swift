/// The columns that a model takes, found among those of a table.
struct ColumnNames {
    let names: [String]
    private let places: [String: Int]
    /// The first column of the table that has each name; -1 where none has.
    private(set) var columns: [Int]
    /// A column of the model that the table has twice.
    private(set) var twin: String?

    init(_ names: [String]) {
        self.names = names
        places = Dictionary(
            names.enumerated().map { ($0.element, $0.offset) },
            uniquingKeysWith: { first, _ in first })
        columns = names.map { _ in -1 }
    }

    /// The first place of each name, where a model takes one column twice.
    func firstPlace(_ place: Int) -> Int { places[names[place]] ?? place }

    /// The place of a name. `hint` is tried first: tables mostly name columns in the model's order.
    func place(_ name: UnsafeRawBufferPointer, hint: Int) -> Int? {
        if hint >= 0, hint < names.count, places.count == names.count,
            ModelSignature.equal(names[hint], name)
        {
            return hint
        }
        return places[String(decoding: name, as: UTF8.self)]
    }

    /// Notes a column of the table, which may be one that the model does not take.
    mutating func found(_ name: UnsafeRawBufferPointer, at column: Int) {
        guard let place = place(name, hint: column) else { return }
        guard columns[place] < 0 else {
            twin = names[place]
            return
        }
        columns[place] = column
    }

    /// Notes that a column is somewhere in the table.
    mutating func note(_ place: Int) { columns[place] = 0 }

    /// - Throws: `InferenceError.badTable` where a column is not there.
    mutating func checkComplete() throws(InferenceError) {
        for index in names.indices where columns[index] < 0 {
            columns[index] = columns[firstPlace(index)]
        }
        let missing = zip(names, columns).filter { $0.1 < 0 }.map(\.0)
        guard missing.isEmpty else {
            let list = missing.prefix(10).map { "\"\($0)\"" }.joined(separator: ", ")
            throw .badTable(
                reason: "The table lacks \(missing.count == 1 ? "the column" : "columns") \(list)"
                    + "\(missing.count > 10 ? ", …" : ""). The model takes "
                    + "\(names.prefix(40).map { "\"\($0)\"" }.joined(separator: ", ")).")
        }
    }
}

/// Which cells of a row go to which slots, in the order of the row.
struct ColumnPicks {
    private let picks: [(column: Int, slot: Int)]
    private let isOwn: Bool

    init(_ layout: TableLayout, _ columns: [Int]) {
        isOwn = layout.isOwn
        guard !isOwn else {
            picks = []
            return
        }
        var picks: [(column: Int, slot: Int)] = []
        for (column, slots) in zip(columns, layout.slotsOfNames) {
            for slot in slots { picks.append((column, slot)) }
        }
        self.picks = picks.sorted { ($0.column, $0.slot) < ($1.column, $1.slot) }
    }

    /// The slot that the cell of this column goes to, the next after the one before.
    ///
    /// - Parameter next: of this row; begins at 0.
    @inline(__always)
    func slot(of column: Int, _ next: inout Int) -> Int? {
        if isOwn {
            guard next == column else { return nil }
            next += 1
            return column
        }
        guard next < picks.count, picks[next].column == column else { return nil }
        defer { next += 1 }
        return picks[next].slot
    }
}
