import AloftDomain

/// What is refused before the file is read as YAML, so that no file can cost more than its size.
enum Limits {
    static let largestBytes = 262_144

    /// The first fault that forbids reading on. Costs one pass over the text.
    static func fault(in text: String) -> ProjectFileFault? {
        guard text.utf8.count <= largestBytes else {
            return ProjectFileFault(
                line: 1, column: 1, path: "",
                message: "the file has \(text.utf8.count) bytes; a project file has at most "
                    + "\(largestBytes)")
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
