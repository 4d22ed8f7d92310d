/// Finds aliases (`*name`) in YAML, a few lines of which can stand for a file of any size.
package enum YAMLAliases {
    /// Where the first alias is, lines and columns from 1; `nil` where there is none.
    ///
    /// An alias needs an anchor (`&name`) of the same name, so `a && b` and `*.csv` are no matter. What is
    /// no ASCII may be a line break of YAML's (U+0085, U+2028, U+2029), so an anchor may follow it.
    package static func first(in bytes: [UInt8]) -> (line: Int, column: Int)? {
        guard bytes.contains(UInt8(ascii: "&")), bytes.contains(UInt8(ascii: "*")) else {
            return nil
        }
        var anchors: Set<ArraySlice<UInt8>> = []
        var before: UInt8?
        for (index, byte) in bytes.enumerated() {
            if byte == UInt8(ascii: "&") {
                let isToken = before.map { $0 >= 0x80 || " \t\r\n[{,:?-".utf8.contains($0) } ?? true
                if isToken { anchors.insert(name(after: index, in: bytes)) }
            }
            before = byte
        }
        anchors.remove([])
        guard !anchors.isEmpty else { return nil }
        var (line, lineStart) = (1, 0)
        for (index, byte) in bytes.enumerated() {
            if byte == UInt8(ascii: "\n") { (line, lineStart) = (line + 1, index + 1) }
            guard byte == UInt8(ascii: "*"), anchors.contains(name(after: index, in: bytes)) else {
                continue
            }
            return (line, index - lineStart + 1)
        }
        return nil
    }

    private static func name(after index: Int, in bytes: [UInt8]) -> ArraySlice<UInt8> {
        bytes.dropFirst(index + 1).prefix { byte in
            (48...57).contains(byte) || (65...90).contains(byte) || (97...122).contains(byte)
                || byte == UInt8(ascii: "-") || byte == UInt8(ascii: "_")
        }
    }
}
