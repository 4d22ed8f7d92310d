package import AloftDomain
import Yams

/// Puts something else where a project file's text says the values of secret variables.
package enum ProjectFileSecrets {
    /// The text with each secret value replaced by a quoted text, all else as it is.
    ///
    /// - Parameter replace: what stands for the value of a variable; text without quotes and line ends.
    /// - Throws: `ProjectFileError` where a value cannot be found again in the text as it is written.
    package static func replacing(
        in text: String, of file: ProjectFile,
        _ replace: (_ name: String, _ value: String) throws -> String
    ) throws -> String {
        let values = file.jobs.flatMap { job in
            job.secretNames.compactMap { name in job.variables[name] }
        }.filter { !$0.isEmpty }
        guard !values.isEmpty else { return text }
        var places: [Place] = []
        let scalars = Array(text.unicodeScalars)
        for job in file.jobs where !job.secretNames.isEmpty {
            for (name, node) in try variables(of: job, in: text) {
                let secret = job.secretNames.contains { $0.isSame(as: name) }
                guard secret, let scalar = node.scalar, !scalar.string.isEmpty else { continue }
                guard let range = range(of: scalar, in: scalars) else {
                    throw unfound(name, scalar)
                }
                let value = try replace(name, scalar.string)
                places.append(Place(range: range, text: "\"\(value)\""))
            }
        }
        var result = String.UnicodeScalarView()
        var last = 0
        for place in places.sorted(by: { $0.range.lowerBound < $1.range.lowerBound })
        where place.range.lowerBound >= last {
            result.append(contentsOf: scalars[last..<place.range.lowerBound])
            result.append(contentsOf: place.text.unicodeScalars)
            last = place.range.upperBound
        }
        result.append(contentsOf: scalars[last...])
        return String(result)
    }

    private struct Place {
        let range: Range<Int>
        let text: String
    }

    private static func unfound(_ name: String, _ scalar: Node.Scalar) -> ProjectFileError {
        ProjectFileError(
            file: "aloft.yaml",
            faults: [
                ProjectFileFault(
                    line: scalar.mark?.line ?? 1, column: scalar.mark?.column ?? 1,
                    path: "variables.\(name)",
                    message:
                        "the secret `\(name)` cannot be kept apart as it is written here; write "
                        + "its value in double quotes right behind the name")
            ])
    }

    /// The nodes under a job's `variables`.
    private static func variables(
        of job: JobDefinition, in text: String
    ) throws -> [(String, Node)] {
        guard case .mapping(let root) = try Parser(yaml: text, encoding: .utf8).singleRoot(),
            case .mapping(let jobs) = root["jobs"]
        else { return [] }
        for (key, value) in jobs where key.scalar?.string.isSame(as: job.name) ?? false {
            guard case .mapping(let section) = value,
                case .mapping(let variables) = section["variables"]
            else { continue }
            return variables.compactMap { key, value in key.scalar.map { ($0.string, value) } }
        }
        return []
    }

    // MARK: Where a scalar stands

    private static func range(
        of scalar: Node.Scalar, in text: [Unicode.Scalar]
    ) -> Range<Int>? {
        guard let mark = scalar.mark, let start = place(of: mark, in: text) else { return nil }
        let end: Int?
        switch scalar.style {
        case .singleQuoted: end = quoted(from: start, "'", in: text)
        case .doubleQuoted: end = quoted(from: start, "\"", in: text)
        case .literal, .folded: end = block(from: start, in: text)
        case .plain, .any:
            let value = Array(scalar.string.unicodeScalars)
            end = text[start...].starts(with: value) ? start + value.count : nil
        }
        return end.map { start..<$0 }
    }

    /// Lines end as YAML says; columns count scalars.
    private static func place(of mark: Mark, in text: [Unicode.Scalar]) -> Int? {
        var (line, index) = (1, 0)
        while line < mark.line {
            guard index < text.count else { return nil }
            if breaks.contains(text[index].value) {
                line += 1
                let isPair = text[index].value == 0x0D && index + 1 < text.count
                if isPair, text[index + 1].value == 0x0A { index += 1 }
            }
            index += 1
        }
        // A byte order mark has no column.
        if mark.line == 1, text.first?.value == 0xFEFF { index += 1 }
        index += mark.column - 1
        return index >= 0 && index < text.count ? index : nil
    }

    private static let breaks: Set<UInt32> = [0x0A, 0x0D, 0x85, 0x2028, 0x2029]

    /// The end of a block scalar (YAML 1.2, section 8.1): of its last line that is not blank and stands
    /// further in than the line that it begins on.
    private static func block(from start: Int, in text: [Unicode.Scalar]) -> Int? {
        guard text[start] == "|" || text[start] == ">" else { return nil }
        let line = text[..<start].lastIndex { breaks.contains($0.value) }.map { $0 + 1 } ?? 0
        let indent = text[line..<start].prefix { $0 == " " }.count
        var end = text[start...].firstIndex { breaks.contains($0.value) } ?? text.count
        var index = end
        while index < text.count {
            index += 1
            let depth = text[index...].prefix { $0 == " " }.count
            let lineEnd = text[index...].firstIndex { breaks.contains($0.value) } ?? text.count
            if index + depth < lineEnd {
                guard depth > indent else { break }
                end = lineEnd
            }
            index = lineEnd
        }
        return end
    }

    private static func quoted(
        from start: Int, _ quote: Unicode.Scalar, in text: [Unicode.Scalar]
    ) -> Int? {
        guard text[start] == quote else { return nil }
        var index = start + 1
        while index < text.count {
            if text[index] == "\\", quote == "\"" {
                index += 2
                continue
            }
            if text[index] == quote {
                guard quote == "'", index + 1 < text.count, text[index + 1] == quote else {
                    return index + 1
                }
                index += 1
            }
            index += 1
        }
        return nil
    }
}

extension Node {
    fileprivate var scalar: Node.Scalar? {
        if case .scalar(let scalar) = self { scalar } else { nil }
    }
}
