import AloftDomain

/// What is refused before the file is read as YAML, so that no file can cost more than its size.
enum Limits {
    static let largestBytes = 262_144

    /// How many bytes of memory each byte of a file may take, beside a mebibyte. As many as lines that
    /// people write take: a file is bounded, and comes from who may run any command.
    static let growth = 96

    /// The first fault that forbids reading on. Costs one pass over the text.
    static func fault(in text: String) -> ProjectFileFault? {
        guard text.utf8.count <= largestBytes else {
            return ProjectFileFault(
                line: 1, column: 1, path: "",
                message: "the file has \(text.utf8.count) bytes; a project file has at most "
                    + "\(largestBytes)")
        }
        guard !YAMLWeight.isTooHeavy(text.utf8, perByte: growth) else {
            return ProjectFileFault(
                line: 1, column: 1, path: "",
                message: "the file holds more keys and values than may be in one of its size; "
                    + "leave out what is not used, or make two projects of it")
        }
        return aliasFault(in: Array(text.utf8))
    }

    /// Aliases (`*name`) are not expanded, since a few lines of them can stand for a file of any
    /// size. An alias needs an anchor (`&name`) of the same name, so `a && b` and `*.csv` are no
    /// matter.
    private static func aliasFault(in bytes: [UInt8]) -> ProjectFileFault? {
        guard let place = YAMLAliases.first(in: bytes) else { return nil }
        return ProjectFileFault(
            line: place.line, column: place.column, path: "",
            message: "aliases (`*name`) are not expanded; write the value out here")
    }
}
