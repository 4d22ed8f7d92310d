import AloftDomain

/// The records of a block `ALP2`: entries, each a length of what follows (4 bytes) and a kind (1 byte).
///
/// A *source* (kind 0) says what many records share: loop (1), incarnation (8), the revision's
/// description with its length (2), then the model's inputs and outputs, each list with its count (2)
/// and each tensor as its datatype (length 1, text) and its name (length 2, text). A *record* (kind 1)
/// belongs to a source before it in the block, counted from 0: flags (1), source (2), HTTP status (2),
/// form (1), sequence (8), wall time in milliseconds (8), microseconds taken (4), length of the request
/// (4) and that, length of the reply (4) and that, then what the flags say: the caller's own id with its
/// quotes (length 2), the tail of a record `ALP1`.
///
/// Request and reply are the bytes that came and went, or, where the flags say so, their tensors in
/// binary: `LoggedTensor`.
///
/// From `ALP3` on a source may end with the layouts of request and reply (`TensorLayout`). A *shaped
/// record* (kind 2) is of such a source, of status 200 and Open Inference Protocol JSON: flags (1),
/// source (2), sequence (8), wall time in milliseconds (8), microseconds taken (4), the elements of the
/// request's tensors and of the reply's, whose lengths the layouts say, then the caller's own id if the
/// flags say so.
package enum CompactPredictions {
    package struct Flags: OptionSet, Sendable {
        package let rawValue: UInt8

        package init(rawValue: UInt8) { self.rawValue = rawValue }

        package static let requestTensors = Flags(rawValue: 1)
        package static let responseTensors = Flags(rawValue: 2)
        package static let hasCallerID = Flags(rawValue: 4)
        package static let hasTail = Flags(rawValue: 8)
    }

    package static let sourceKind: UInt8 = 0
    package static let recordKind: UInt8 = 1
    package static let shapedKind: UInt8 = 2
    /// Where a record of either kind says its source, from its begin.
    package static let sourcePlace = 6
    /// A record without request, reply and what the flags add.
    package static let recordBytes = 39
    /// A shaped record without its elements and the caller's id.
    package static let shapedBytes = 28

    /// Every record; `nil` where an entry does not fit or is of an unknown kind.
    static func all(in entries: UnsafeRawBufferPointer) -> [PredictionRecord]? {
        var sources: [PredictionSource] = []
        var found: [PredictionRecord] = []
        var offset = 0
        while offset < entries.count {
            var outer = ByteScan(UnsafeRawBufferPointer(rebasing: entries[offset...]))
            guard let content = outer.takeBytes(UInt32.self) else { return nil }
            let whole = UnsafeRawBufferPointer(
                rebasing: entries[offset..<offset + outer.offset])
            offset += outer.offset
            var scan = ByteScan(content)
            switch scan.take(UInt8.self) {
            case sourceKind:
                guard let source = PredictionSource(whole, &scan) else { return nil }
                sources.append(source)
            case recordKind:
                guard let record = PredictionRecord(compact: whole, &scan, sources) else {
                    return nil
                }
                found.append(record)
            case shapedKind:
                guard let record = PredictionRecord(shaped: whole, &scan, sources) else {
                    return nil
                }
                found.append(record)
            default: return nil
            }
        }
        return found
    }

    /// What of a source is the same in every block, from the description on; `nil` where it is more
    /// than its lengths can say.
    package static func source(
        description: [UInt8], inputs: [(datatype: String, name: String)],
        outputs: [(datatype: String, name: String)]
    ) -> [UInt8]? {
        var bytes: [UInt8] = []
        func put(_ number: some FixedWidthInteger) {
            withUnsafeBytes(of: number.littleEndian) { bytes.append(contentsOf: $0) }
        }
        guard let length = UInt16(exactly: description.count) else { return nil }
        put(length)
        bytes += description
        for tensors in [inputs, outputs] {
            guard let count = UInt16(exactly: tensors.count), count <= 255 else { return nil }
            put(count)
            for tensor in tensors {
                guard let datatype = UInt8(exactly: tensor.datatype.utf8.count),
                    let name = UInt16(exactly: tensor.name.utf8.count)
                else { return nil }
                put(datatype)
                bytes += Array(tensor.datatype.utf8)
                put(name)
                bytes += Array(tensor.name.utf8)
            }
        }
        return bytes
    }
}

/// What many records of a compact block share.
package struct PredictionSource {
    let incarnation: UInt64
    let loop: UInt8
    package let description: UnsafeRawBufferPointer
    /// The entry with its length before it.
    package let whole: UnsafeRawBufferPointer
    private let tensors: UnsafeRawBufferPointer
    /// How the tensors of its shaped records lie; `nil` where it has none.
    let layouts: (request: TensorLayout, reply: TensorLayout)?

    init?(_ whole: UnsafeRawBufferPointer, _ scan: inout ByteScan) {
        guard let loop = scan.take(UInt8.self), let incarnation = scan.take(UInt64.self),
            let description = scan.takeBytes(UInt16.self)
        else { return nil }
        self.loop = loop
        self.incarnation = incarnation
        self.description = description
        self.whole = whole
        tensors = scan.rest
        layouts = Self.layouts(in: tensors)
    }

    private static func layouts(
        in tensors: UnsafeRawBufferPointer
    ) -> (request: TensorLayout, reply: TensorLayout)? {
        var scan = ByteScan(tensors)
        for _ in 0..<2 {
            guard let count = scan.take(UInt16.self) else { return nil }
            for _ in 0..<count {
                guard scan.takeBytes(UInt8.self) != nil, scan.takeBytes(UInt16.self) != nil else {
                    return nil
                }
            }
        }
        guard let request = TensorLayout(&scan), let reply = TensorLayout(&scan) else { return nil }
        return (request, reply)
    }

    struct Signature {
        struct Tensor {
            let kind: TensorKind
            let name: String
        }

        var inputs: [Tensor] = []
        var outputs: [Tensor] = []
    }

    /// The model's inputs and outputs; `nil` where they do not fit.
    var signature: Signature? {
        var scan = ByteScan(tensors)
        var signature = Signature()
        for list in [\Signature.inputs, \Signature.outputs] {
            guard let count = scan.take(UInt16.self) else { return nil }
            for _ in 0..<count {
                guard let datatype = scan.takeText(UInt8.self),
                    let kind = TensorKind(rawValue: datatype),
                    let name = scan.takeText(UInt16.self)
                else { return nil }
                signature[keyPath: list].append(.init(kind: kind, name: name))
            }
        }
        return signature
    }
}
