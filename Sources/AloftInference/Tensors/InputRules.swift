package import AloftDomain

/// What the original of a converted model refuses: checked before the model is asked, which would
/// answer something.
package struct InputRules: Sendable {
    private enum Values: Sendable {
        case missing
        /// Farther from zero than this.
        case beyond(Double)
        /// None of these texts, in the order of their bytes.
        case unknown([[UInt8]])
    }

    private struct Rule: Sendable {
        var place: Int
        var name: String
        /// `nil` for all columns.
        var columns: [Int]?
        var values: Values
        var message: String
    }

    private let rules: [Rule]
    /// What stands for missing text.
    private let missingText: [UInt8]

    /// `nil` where nothing is refused.
    package init?(_ manifest: ServableManifest, signature: ModelSignature) {
        missingText = Array((manifest.missingText ?? "").utf8)
        rules = (manifest.refuses ?? []).compactMap { refused in
            guard let place = signature.inputPlace(refused.input) else { return nil }
            let values: Values =
                switch refused.values {
                case .missing: .missing
                case .beyond: .beyond(refused.limit ?? .greatestFiniteMagnitude)
                case .unknown:
                    .unknown(
                        (refused.known ?? []).map { Array($0.utf8) }.sorted {
                            $0.lexicographicallyPrecedes($1)
                        })
                }
            return Rule(
                place: place, name: refused.input, columns: refused.columns, values: values,
                message: refused.message)
        }
        if rules.isEmpty { return nil }
    }

    /// Why the original would not answer these inputs; `nil` where it would.
    package func fault(in tensors: TensorSet) -> InferenceError? {
        for entry in tensors.entries {
            for rule in rules where rule.place == entry.place {
                if let text = Self.offender(rule, entry, tensors, missingText) {
                    let parts = rule.message.split(
                        separator: "{value}", maxSplits: 1, omittingEmptySubsequences: false)
                    return .badContents(
                        name: rule.name, reason: parts.joined(separator: String(text.prefix(100))))
                }
            }
        }
        return nil
    }

    /// The first value that is refused, as text.
    private static func offender(
        _ rule: Rule, _ entry: TensorSet.Entry, _ tensors: TensorSet, _ missingText: [UInt8]
    ) -> String? {
        let width = entry.rank > 1 ? Int(clamping: tensors.shape(entry).last ?? 1) : 1
        switch (entry.datatype, rule.values) {
        case (.fp32, .missing):
            return first(rule, entry, tensors, width, Float.self) { $0.isNaN }
        case (.fp64, .missing):
            return first(rule, entry, tensors, width, Double.self) { $0.isNaN }
        case (.fp32, .beyond(let limit)):
            return first(rule, entry, tensors, width, Float.self) {
                Double($0.magnitude) > limit
            }
        case (.fp64, .beyond(let limit)):
            return first(rule, entry, tensors, width, Double.self) { $0.magnitude > limit }
        case (.bytes, .missing):
            return firstText(rule, entry, tensors, width) { same($0, missingText) }
        case (.bytes, .unknown(let known)):
            return firstText(rule, entry, tensors, width) {
                !same($0, missingText) && !contains(known, $0)
            }
        default: return nil
        }
    }

    private static func first<Number: BinaryFloatingPoint & BitwiseCopyable>(
        _ rule: Rule, _ entry: TensorSet.Entry, _ tensors: TensorSet, _ width: Int,
        _: Number.Type, _ isRefused: (Number) -> Bool
    ) -> String? {
        let bytes = tensors.bytes(entry)
        let stride = MemoryLayout<Number>.stride
        func check(_ index: Int) -> String? {
            let value = bytes.loadUnaligned(fromByteOffset: index * stride, as: Number.self)
            return isRefused(value) ? "\(value)" : nil
        }
        guard let columns = rule.columns else {
            for index in 0..<max(entry.elementCount, 0) {
                if let found = check(index) { return found }
            }
            return nil
        }
        var start = 0
        while width > 0, start + width <= entry.elementCount {
            for column in columns where column >= 0 && column < width {
                if let found = check(start + column) { return found }
            }
            start += width
        }
        return nil
    }

    private static func firstText(
        _ rule: Rule, _ entry: TensorSet.Entry, _ tensors: TensorSet, _ width: Int,
        _ isRefused: (UnsafeRawBufferPointer) -> Bool
    ) -> String? {
        let bytes = tensors.bytes(entry)
        var (offset, column) = (0, 0)
        while bytes.count - offset >= 4 {
            let length = BinaryStrings.length(bytes, at: offset)
            guard bytes.count - offset - 4 >= length else { return nil }
            // traps: the guard above has so many bytes follow
            let text = UnsafeRawBufferPointer(rebasing: bytes[offset + 4..<offset + 4 + length])
            if rule.columns?.contains(column) ?? true, isRefused(text) {
                return String(decoding: text, as: UTF8.self)
            }
            offset += 4 + length
            column = column + 1 < width ? column + 1 : 0
        }
        return nil
    }

    /// By halves, since a column may have thousands of categories.
    private static func contains(_ known: [[UInt8]], _ text: UnsafeRawBufferPointer) -> Bool {
        var (low, high) = (0, known.count)
        while low < high {
            let middle = (low + high) / 2
            if known[middle].lexicographicallyPrecedes(text) {
                low = middle + 1
            } else {
                high = middle
            }
        }
        return low < known.count && same(text, known[low])
    }

    private static func same(_ bytes: UnsafeRawBufferPointer, _ text: [UInt8]) -> Bool {
        text.withUnsafeBytes { BytesEqual.equal(bytes, $0) }
    }
}
