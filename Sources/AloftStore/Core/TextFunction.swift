import GRDB

extension Transaction {
    /// Runs `body` with a function of SQL that says whether two texts go together; of what is no text it
    /// says that they do not.
    func with<Value>(
        function name: String, _ isTrue: @escaping (String, String) throws -> Bool,
        _ body: () throws -> Value
    ) throws -> Value {
        // Only this thread calls it, and not after `body`.
        nonisolated(unsafe) let isTrue = isTrue
        let function = DatabaseFunction(name, argumentCount: 2, pure: true) { values in
            guard case .string(let one) = values[0].storage,
                case .string(let other) = values[1].storage
            else { return false }
            return try isTrue(one, other)
        }
        database.add(function: function)
        defer { database.remove(function: function) }
        return try body()
    }
}
