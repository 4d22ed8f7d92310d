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
        guard bytes.contains(UInt8(ascii: "&")), bytes.contains(UInt8(ascii: "*")) else {
            return nil
        }
        var anchors: Set<ArraySlice<UInt8>> = []
        for (index, byte) in bytes.enumerated() where byte == UInt8(ascii: "&") {
            let isToken = index == 0 || " \t\r\n[{,:?-".utf8.contains(bytes[index - 1])
            if isToken { anchors.insert(name(after: index, in: bytes)) }
        }
        anchors.remove([])
        guard !anchors.isEmpty else { return nil }
        var line = 1
        var lineStart = 0
        for (index, byte) in bytes.enumerated() {
            if byte == UInt8(ascii: "\n") {
                line += 1
                lineStart = index + 1
            }
            guard byte == UInt8(ascii: "*"), anchors.contains(name(after: index, in: bytes)) else {
                continue
            }
            return ProjectFileFault(
                line: line, column: index - lineStart + 1, path: "",
                message: "aliases (`*name`) are not expanded; write the value out here")
        }
        return nil
    }

    private static func name(after index: Int, in bytes: [UInt8]) -> ArraySlice<UInt8> {
        bytes[(index + 1)...].prefix { byte in
            (48...57).contains(byte) || (65...90).contains(byte) || (97...122).contains(byte)
                || byte == UInt8(ascii: "-") || byte == UInt8(ascii: "_")
        }
    }
}
