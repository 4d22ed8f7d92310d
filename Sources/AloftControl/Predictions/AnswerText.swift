package import AloftDomain
package import AloftPredictionLog
package import Foundation

/// Reads an answer of a gateway as values: its JSON, with the binary tensors behind it in their places.
package enum AnswerText {
    /// What was answered: `outputs` or `predictions` of a good answer, the sentence of a refusal;
    /// `nil` where the bytes are neither.
    package static func values(_ data: Data, status: Int) -> JSONValue? {
        guard let end = jsonEnd(data),
            let whole = try? JSONDecoder().decode(JSONValue.self, from: data.prefix(end))
        else { return status >= 400 ? .string(String(decoding: data, as: UTF8.self)) : nil }
        if status >= 400 { return whole["error"]?["message"] ?? whole["error"] ?? whole }
        if let predictions = whole["predictions"] { return predictions }
        guard case .array(let outputs) = whole["outputs"] else { return nil }
        var rest = data.dropFirst(end)
        return .array(outputs.map { withBinary($0, &rest) })
    }

    /// The tensors of an answer that is a message of gRPC.
    package static func values(_ answer: InferMessage) -> JSONValue {
        .array(
            answer.tensors.map { tensor in
                .object([
                    "name": .string(tensor.name), "datatype": .string(tensor.datatype),
                    "shape": .array(tensor.shape.map { .int($0) }),
                    "data": (tensor.kind ?? .uint8).values(Data(tensor.elements)),
                ])
            })
    }

    /// Where the JSON object at the begin of `data` ends; `nil` where none does.
    static func jsonEnd(_ data: Data) -> Int? {
        var depth = 0
        var isInText = false
        var isEscaped = false
        for (place, byte) in data.enumerated() {
            if isInText {
                if isEscaped {
                    isEscaped = false
                } else if byte == UInt8(ascii: "\\") {
                    isEscaped = true
                } else if byte == UInt8(ascii: "\"") {
                    isInText = false
                }
                continue
            }
            switch byte {
            case UInt8(ascii: "\""): isInText = true
            case UInt8(ascii: "{"), UInt8(ascii: "["): depth += 1
            case UInt8(ascii: "}"), UInt8(ascii: "]"):
                depth -= 1
                if depth == 0 { return place + 1 }
            default: break
            }
        }
        return nil
    }

    private static func withBinary(_ output: JSONValue, _ rest: inout Data.SubSequence) -> JSONValue
    {
        guard case .object(var members) = output,
            case .int(let size) = members["parameters"]?["binary_data_size"], size >= 0
        else { return output }
        let bytes = Data(rest.prefix(Int(size)))
        rest = rest.dropFirst(Int(size))
        members["parameters"] = nil
        let kind = TensorKind(rawValue: members["datatype"]?.stringValue ?? "") ?? .uint8
        members["data"] = kind.values(bytes)
        return .object(members)
    }
}

/// Two answers to the same question, value by value.
package struct AnswerComparison: Sendable, Equatable {
    package struct Difference: Sendable, Equatable {
        /// As `outputs[0].data[3]`.
        package var place: String
        package var before: String
        package var after: String
        /// |a - b| / max(1, |a|); `nil` where they are no numbers, which counts as more than any.
        package var size: Double?
    }

    package private(set) var compared = 0
    package private(set) var differing = 0
    package private(set) var largest: Difference?
    /// What both are, where values of the one say nothing about values of the other; then nothing was
    /// compared.
    package private(set) var notComparable: (before: String, after: String)?

    /// Outputs are compared by their names, predictions where both have one form.
    package init(_ before: JSONValue, _ after: JSONValue, root: String) {
        if let (one, two) = Self.outputs(before, after) {
            let names = one.map(\.name).filter { name in two.contains { $0.name.isSame(as: name) } }
            guard !names.isEmpty || one.isEmpty || two.isEmpty else {
                notComparable = (Self.list(one.map(\.name)), Self.list(two.map(\.name)))
                return
            }
            compareOutputs(one, two, root)
        } else if let forms = Self.forms(before, after) {
            notComparable = forms
        } else {
            compare(before, after, root)
        }
    }

    package static func == (one: Self, two: Self) -> Bool {
        (one.compared, one.differing) == (two.compared, two.differing)
            && one.largest == two.largest
            && one.notComparable?.before == two.notComparable?.before
            && one.notComparable?.after == two.notComparable?.after
    }

    // MARK: What is comparable

    private typealias Output = (place: Int, name: String, value: JSONValue)

    /// Both answers' outputs by name; `nil` where one is no list of named tensors.
    private static func outputs(
        _ before: JSONValue, _ after: JSONValue
    ) -> ([Output], [Output])? {
        func outputs(_ value: JSONValue) -> [Output]? {
            guard case .array(let items) = value else { return nil }
            var found: [Output] = []
            for (place, item) in items.enumerated() {
                guard let name = item["name"]?.stringValue, item["datatype"] != nil else {
                    return nil
                }
                found.append((place, name, item))
            }
            return found
        }
        guard let one = outputs(before), let two = outputs(after), !(one.isEmpty && two.isEmpty)
        else { return nil }
        return (one, two)
    }

    private mutating func compareOutputs(_ one: [Output], _ two: [Output], _ root: String) {
        for output in one {
            let other = two.first { $0.name.isSame(as: output.name) }?.value ?? .null
            compare(output.value, other, "\(root)[\(output.place)]")
        }
        for output in two where !one.contains(where: { $0.name.isSame(as: output.name) }) {
            compare(.null, output.value, "\(root)[\(output.place)]")
        }
    }

    private static func list(_ names: [String]) -> String {
        names.prefix(8).map { "`\($0.prefix(100))`" }.joined(separator: ", ")
    }

    /// What the rows of both are, where that is not the same; `nil` where they are alike, or where one
    /// says nothing.
    private static func forms(
        _ before: JSONValue, _ after: JSONValue
    ) -> (before: String, after: String)? {
        guard let one = form(before), let two = form(after), one != two else { return nil }
        return (one, two)
    }

    private static func form(_ value: JSONValue) -> String? {
        guard case .array(let rows) = value, let first = rows.first(where: { $0 != .null }) else {
            return nil
        }
        switch first {
        case .null: return nil
        // A number may be the text of a whole one or not: those compare.
        case .int, .double, .bool: return "one value a row"
        case .string: return "texts"
        case .array(let values): return "rows of \(values.count) values"
        case .object(let members):
            return "objects of " + list(members.keys.sorted())
        }
    }

    // MARK: Value by value

    private mutating func compare(_ before: JSONValue, _ after: JSONValue, _ place: String) {
        switch (before, after) {
        case (.array(let one), .array(let two)) where one.count == two.count:
            for (index, pair) in zip(one, two).enumerated() {
                compare(pair.0, pair.1, "\(place)[\(index)]")
            }
        case (.object(let one), .object(let two)) where Set(one.keys) == Set(two.keys):
            for (key, value) in one.sorted(by: { $0.key < $1.key }) {
                compare(value, two[key] ?? .null, place.isEmpty ? key : "\(place).\(key)")
            }
        default:
            compared += 1
            note(before, after, place)
        }
    }

    private mutating func note(_ before: JSONValue, _ after: JSONValue, _ place: String) {
        var size: Double?
        if let one = before.doubleValue, let two = after.doubleValue {
            // Whole numbers may be too large for a Double to tell them apart.
            if one == two, !Self.areOtherWholes(before, after) { return }
            if one.isNaN && two.isNaN { return }
            let distance = abs(one - two) / max(1, abs(one))
            size = distance.isNaN ? nil : distance
        } else if before == after {
            return
        }
        differing += 1
        let isLarger =
            largest.map { known in
                guard let knownSize = known.size else { return false }
                return size.map { $0 > knownSize } ?? true
            } ?? true
        guard isLarger else { return }
        largest = Difference(
            place: place, before: Self.text(before), after: Self.text(after), size: size)
    }

    private static func areOtherWholes(_ before: JSONValue, _ after: JSONValue) -> Bool {
        if case (.int(let one), .int(let two)) = (before, after) { one != two } else { false }
    }

    private static func text(_ value: JSONValue) -> String {
        switch value {
        case .null: "null"
        case .bool(let value): "\(value)"
        case .int(let value): "\(value)"
        case .double(let value): "\(value)"
        case .string(let value): String(value.prefix(200))
        case .array(let values): "a list of \(values.count)"
        case .object(let members): "an object of \(members.count)"
        }
    }
}
