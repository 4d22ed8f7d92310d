package import GRDB

extension Database {
    /// Runs a statement that is compiled once per connection.
    package func perform(_ sql: String, _ arguments: StatementArguments = []) throws {
        try cachedStatement(sql: sql).execute(arguments: arguments)
    }

    /// The first row of a statement that is compiled once per connection.
    package func firstRow(_ sql: String, _ arguments: StatementArguments = []) throws -> Row? {
        try Row.fetchOne(cachedStatement(sql: sql), arguments: arguments)
    }

    /// All rows of a statement that is compiled once per connection.
    package func allRows(_ sql: String, _ arguments: StatementArguments = []) throws -> [Row] {
        try Row.fetchAll(cachedStatement(sql: sql), arguments: arguments)
    }

    /// The most numbers that `rows(_:numbers:)` takes.
    static let mostNumbers = 256

    /// The rows of a statement in which `#` stands for a list of numbers. There are few sizes of
    /// lists, so that each statement is compiled once per connection.
    func rows(_ sql: String, numbers: some Collection<Int64>) throws -> RowCursor {
        let size = [1, 16].first { numbers.count <= $0 } ?? Self.mostNumbers
        precondition(numbers.count <= size, "more numbers than a statement takes")
        var arguments = numbers.map(\.databaseValue)
        while arguments.count < size { arguments.append(arguments.first ?? .null) }
        let marks = Array(repeating: "?", count: size).joined(separator: ",")
        return try Row.fetchCursor(
            // text: our own statement
            cachedStatement(sql: sql.replacing("#", with: marks)),
            arguments: StatementArguments(arguments))
    }
}
