/// A command with parameters: `python train.py --depth ${max_depth}`.
///
/// `${name}` is a parameter; `$NAME` and every other use of `$` is left to the shell.
package struct CommandTemplate: Sendable, Hashable {
    private enum Part: Sendable, Hashable {
        case text(String)
        case parameter(String)
    }

    package let source: String
    private let parts: [Part]

    package init(_ source: String) {
        self.source = source
        var parts: [Part] = []
        var text = ""
        var rest = Substring(source)
        while let dollar = rest.firstIndex(of: "$") {
            text += rest[..<dollar]
            rest = rest[dollar...]
            let name = rest.dropFirst(2).prefix {
                $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_")
            }
            let close = name.endIndex
            guard rest.hasPrefix("${"), close < rest.endIndex, rest[close] == "}",
                Self.isName(String(name))
            else {
                text.append("$")
                rest = rest.dropFirst()
                continue
            }
            parts += [.text(text), .parameter(String(name))]
            text = ""
            rest = rest[close...].dropFirst()
        }
        self.parts = parts + [.text(text + rest)]
    }

    /// Letters, digits and `_`, not a digit first.
    package static func isName(_ text: String) -> Bool {
        guard let first = text.utf8.first, !(48...57).contains(first) else { return false }
        return text.utf8.allSatisfy { byte in
            byte == UInt8(ascii: "_") || (48...57).contains(byte) || (65...90).contains(byte)
                || (97...122).contains(byte)
        }
    }

    /// The parameters' names in order of first use.
    package var parameters: [String] {
        var names: [String] = []
        for case .parameter(let name) in parts where !names.contains(name) { names.append(name) }
        return names
    }

    /// The names that `values` lacks.
    package func missing(from values: [String: ParameterValue]) -> [String] {
        parameters.filter { values[$0] == nil }
    }

    /// The command for `/bin/sh -c`, each value quoted, so that no value is taken for a command. A
    /// parameter without a value stays as it is written; see `missing(from:)`.
    package func command(with values: [String: ParameterValue]) -> String {
        parts.map { part in
            switch part {
            case .text(let text): text
            case .parameter(let name): values[name].map { Self.quoted($0.text) } ?? "${\(name)}"
            }
        }.joined()
    }

    /// `text` as one word of a POSIX shell, which reads bytes: a quote is one whatever mark follows.
    package static func quoted(_ text: String) -> String {
        let isPlain =
            !text.isEmpty
            && text.utf8.allSatisfy { byte in
                (48...57).contains(byte) || (65...90).contains(byte) || (97...122).contains(byte)
                    || "_-+=./:,@%".utf8.contains(byte)
            }
        guard !isPlain else { return text }
        return "'"
            + text.pieces(at: "'", keepingEmpty: true).joined(separator: "'\\''") + "'"
    }
}

extension CommandTemplate: Codable {
    package init(from decoder: any Decoder) throws {
        self.init(try decoder.singleValueContainer().decode(String.self))
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(source)
    }
}
