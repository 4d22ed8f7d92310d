import AloftDomain
import Yams

/// Gathers faults while a file is read. Lives as long as one reading, on one thread.
final class FaultList {
    private(set) var faults: [ProjectFileFault] = []
    /// Nobody mends more at once.
    private static let most = 200

    func add(_ message: String, at mark: Mark?, path: String) {
        guard faults.count < Self.most else { return }
        faults.append(
            ProjectFileFault(
                line: mark?.line ?? 1, column: mark?.column ?? 1, path: path, message: message))
    }
}

/// A place in the file: a value, the path that leads to it, and where to report what is wrong.
struct Cursor {
    let node: Node
    let path: String
    let faults: FaultList

    func fault(_ message: String) { faults.add(message, at: node.mark, path: path) }

    /// The scalar as written; a fault unless it is a scalar that says something.
    func text(_ what: String, example: String) -> String? {
        guard let text = scalar?.string, !text.isEmpty else {
            fault("\(what) is missing here; write it as in `\(example)`")
            return nil
        }
        return text
    }

    func integer(_ what: String, in range: ClosedRange<Int>) -> Int? {
        guard let text = scalar?.string, let value = Int(text), range.contains(value) else {
            fault(
                "\(what) is a whole number from \(range.lowerBound) to \(range.upperBound)\(butIs)")
            return nil
        }
        return value
    }

    func number(_ what: String, where isRight: (Double) -> Bool = { _ in true }) -> Double? {
        guard let text = scalar?.string, let value = Quantity.number(text), isRight(value) else {
            fault("\(what)\(butIs)")
            return nil
        }
        return value
    }

    func duration(_ what: String) -> Duration? {
        guard let text = scalar?.string, let value = Quantity.duration(text), value > .zero else {
            fault("\(what) is a length of time such as 30s, 10m or 1h30m\(butIs)")
            return nil
        }
        return value
    }

    /// One of the cases of an enumeration.
    func word<Word: RawRepresentable & CaseIterable>(_ what: String, _ type: Word.Type) -> Word?
    where Word.RawValue == String {
        let words = type.allCases.map(\.rawValue)
        guard let text = scalar?.string, let word = Word(rawValue: text) else {
            fault("\(what) is one of \(words.joined(separator: ", "))\(butIs)\(didYouMean(words))")
            return nil
        }
        return word
    }

    /// The elements of a list.
    func list(_ what: String) -> [Cursor]? {
        guard case .sequence(let sequence) = node else {
            fault("\(what) is a list in brackets\(butIs)")
            return nil
        }
        return sequence.enumerated().map { index, node in
            Cursor(node: node, path: "\(path)[\(index + 1)]", faults: faults)
        }
    }

    var scalar: Node.Scalar? { if case .scalar(let scalar) = node { scalar } else { nil } }

    var isEmpty: Bool { scalar.map { $0.string.isEmpty && $0.style == .plain } ?? false }

    /// `, not X`, for the end of a fault.
    var butIs: String {
        switch node {
        case .scalar(let scalar) where scalar.string.isEmpty: ", but nothing stands here"
        case .scalar(let scalar): ", not `\(scalar.string.prefix(60))`"
        case .mapping: ", not a section"
        case .sequence: ", not a list"
        case .alias: ", not an alias"
        }
    }

    /// `; did you mean X?`, for the end of a fault, or nothing.
    func didYouMean(_ candidates: [String]) -> String {
        guard let text = scalar?.string, text.count < 100,
            let near = nearest(to: text, among: candidates)
        else { return "" }
        return "; did you mean `\(near)`?"
    }
}
