package import Foundation

/// One line of a requirements file, continued lines joined: an option of the installer, or a package.
package enum RequirementLine: Sendable, Equatable {
    /// `--index-url`, `-r`; its value may be empty.
    case option(name: String, value: String)
    case package(String)

    /// As a line of a file.
    package var text: String {
        switch self {
        case .option(let name, let value): name + " " + value
        case .package(let text): text
        }
    }

    /// A file's text; `nil` where an installer could take it for another, as one of UTF-16.
    package static func text(of data: Data) -> String? { String(data: data, encoding: .utf8) }

    /// The lines of a file, without comments and empty ones. More ends a line here than for any
    /// installer, so that nothing stands behind one that only an installer sees.
    package static func lines(of text: String) -> [RequirementLine] {
        var lines: [RequirementLine] = []
        var open = ""
        for line in text.unicodeScalars.split(
            omittingEmptySubsequences: false, whereSeparator: isLineEnd)
        {
            let words = String(String.UnicodeScalarView(withoutComment(line)))
            if words.hasSuffix("\\") {
                open += words.dropLast() + " "
                continue
            }
            if let made = make(open + words) { lines.append(made) }
            open = ""
        }
        if let made = make(open) { lines.append(made) }
        return lines
    }

    /// A `#` begins a comment at the line's start and after a blank.
    private static func withoutComment(
        _ line: Substring.UnicodeScalarView
    ) -> Substring.UnicodeScalarView {
        var before: Unicode.Scalar = " "
        for place in line.indices {
            if line[place] == "#", isBlank(before) { return line[..<place] }
            before = line[place]
        }
        return line
    }

    private static func make(_ text: String) -> RequirementLine? {
        let scalars = Array(text.unicodeScalars)
        guard let first = scalars.firstIndex(where: { !isBlank($0) }),
            let last = scalars.lastIndex(where: { !isBlank($0) })
        else { return nil }
        let line = scalars[first...last]
        guard line.first == "-" else { return .package(string(line)) }
        let isShort = line.dropFirst().first != "-"
        let end =
            isShort
            ? min(first + 2, line.endIndex)
            : line.firstIndex { isBlank($0) || $0 == "=" } ?? line.endIndex
        let value = line[end...].drop { isBlank($0) || $0 == "=" }
        return .option(name: string(line[..<end]), value: string(value))
    }

    private static func string(_ scalars: ArraySlice<Unicode.Scalar>) -> String {
        var view = String.UnicodeScalarView()
        view.append(contentsOf: scalars)
        return String(view)
    }

    private static func isLineEnd(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        // The last is a mark that installers skip at a file's start.
        case 0, 0x0A...0x0D, 0x85, 0x2028, 0x2029, 0xFEFF: true
        default: false
        }
    }

    private static func isBlank(_ scalar: Unicode.Scalar) -> Bool {
        scalar.properties.isWhitespace
    }
}
