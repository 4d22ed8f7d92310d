extension ServableManifest {
    /// What clients send: the signature's inputs, a table of numbers by its columns.
    package var takes: [Tensor] {
        let told = publicInputs ?? inputs
        // As manifests of before had it: all columns in one tensor.
        guard told.count == 1, let matrix = told.first, let columns, matrix.shape.count == 2,
            matrix.shape[1] == columns.count, matrix.datatype != TensorKind.bytes.rawValue
        else { return told }
        return columns.map { Tensor(name: $0, datatype: matrix.datatype, shape: [-1, 1]) }
    }

    /// The first input by which requests that `live` takes would be refused here, or answered otherwise,
    /// in a person's words; `nil` where there is none, or where either does not say what it takes.
    ///
    /// Datatypes may widen (FP32 to FP64, INT32 to INT64): the gateway casts what clients send. Inputs
    /// may come in another order, since they go by their names.
    package func brokenInput(from live: ServableManifest) -> String? {
        let (now, before) = (takes, live.takes)
        guard !now.isEmpty, !before.isEmpty else { return nil }
        for input in before {
            guard let same = now.first(where: { $0.name.isSame(as: input.name) }) else {
                return "\(input.text) is gone"
            }
            guard TensorKind.widens(input.datatype, to: same.datatype),
                Self.fits(input.shape, in: same.shape)
            else { return "\(input.text) became \(same.text)" }
        }
        let added = now.first { input in !before.contains { $0.name.isSame(as: input.name) } }
        return added.map { "\($0.text) is new" }
    }

    private static func fits(_ shape: [Int], in other: [Int]) -> Bool {
        shape.count == other.count
            && zip(shape, other).allSatisfy { $1 < 0 || $0 == $1 }
    }
}

extension ServableManifest.Tensor {
    fileprivate var text: String {
        "\"\(name.prefix(100))\" \(datatype) [\(shape.map { "\($0)" }.joined(separator: ", "))]"
    }
}

extension TensorKind {
    /// Whether each value of one datatype is one of the other.
    package static func widens(_ datatype: String, to other: String) -> Bool {
        if datatype.isSame(as: other) { return true }
        guard
            let (from, to) = TensorKind(rawValue: datatype).flatMap({ one in
                TensorKind(rawValue: other).map { (one, $0) }
            })
        else { return false }
        return from.bits.map { bits in to.bits.map { bits.fits(in: $0) } ?? false } ?? false
    }

    private struct Bits {
        var whole: Int
        var isSigned: Bool
        var isReal: Bool

        func fits(in other: Bits) -> Bool {
            if isReal { return other.isReal && whole <= other.whole }
            if isSigned && !other.isSigned { return false }
            let needed = whole + (!isSigned && other.isSigned && !other.isReal ? 1 : 0)
            return needed <= other.whole
        }
    }

    /// The whole numbers that it holds, all of them up to so many bits; `nil` for what is no number.
    private var bits: Bits? {
        switch self {
        case .uint8: Bits(whole: 8, isSigned: false, isReal: false)
        case .uint16: Bits(whole: 16, isSigned: false, isReal: false)
        case .uint32: Bits(whole: 32, isSigned: false, isReal: false)
        case .uint64: Bits(whole: 64, isSigned: false, isReal: false)
        case .int8: Bits(whole: 8, isSigned: true, isReal: false)
        case .int16: Bits(whole: 16, isSigned: true, isReal: false)
        case .int32: Bits(whole: 32, isSigned: true, isReal: false)
        case .int64: Bits(whole: 64, isSigned: true, isReal: false)
        case .fp32: Bits(whole: 24, isSigned: true, isReal: true)
        case .fp64: Bits(whole: 53, isSigned: true, isReal: true)
        case .bool, .fp16, .bf16, .bytes: nil
        }
    }
}
