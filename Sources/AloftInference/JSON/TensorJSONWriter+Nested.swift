/// Elements as arrays nested by the shape, as numpy's `tolist` gives them to MLflow.
extension TensorJSONWriter {
    /// The most bytes that `writeNested` takes.
    package static func nestedBound(_ entry: TensorSet.Entry, of tensors: TensorSet) -> Int {
        var (bound, lists) = (bound(entry), 1)
        for dimension in tensors.shape(entry).dropLast() {
            let (product, overflow) = lists.multipliedReportingOverflow(
                by: Int(clamping: dimension))
            // Two brackets and a comma each. What no answer holds is as good as any bound above it.
            lists = overflow ? .max / 64 : min(max(product, 0), .max / 64)
            bound += 3 * lists
        }
        return bound
    }

    package static func writeNested(
        _ entry: TensorSet.Entry, of tensors: TensorSet, to writer: inout ByteWriter
    ) {
        let shape = tensors.shape(entry)
        guard shape.count > 1 else { return write(entry, of: tensors, to: &writer) }
        if shape.count == 2, entry.datatype != .bytes, let columns = shape.last, columns > 0 {
            return writeMatrix(entry, columns: Int(clamping: columns), of: tensors, to: &writer)
        }
        let strings = entry.datatype == .bytes ? tensors.strings(entry) ?? [] : []
        var nest = Nest(
            shape: shape.map { Int(clamping: $0) }, entry: entry, bytes: tensors.bytes(entry),
            strings: strings)
        nest.write(level: 0, to: &writer)
    }

    private static func writeMatrix(
        _ entry: TensorSet.Entry, columns: Int, of tensors: TensorSet, to writer: inout ByteWriter
    ) {
        writer.write(UInt8(ascii: "["))
        // traps: a count of elements
        for index in 0..<entry.elementCount {
            if index % columns == 0 {
                if index > 0 { writer.write("],") }
                writer.write(UInt8(ascii: "["))
            } else {
                writer.write(UInt8(ascii: ","))
            }
            write(tensors.bytes(entry), index, entry.datatype, to: &writer)
        }
        if entry.elementCount > 0 { writer.write(UInt8(ascii: "]")) }
        writer.write(UInt8(ascii: "]"))
    }

    private struct Nest {
        let shape: [Int]
        let entry: TensorSet.Entry
        let bytes: UnsafeRawBufferPointer
        let strings: [UnsafeRawBufferPointer]
        var next = 0

        /// A shape has a few dimensions, of which each is a level.
        mutating func write(level: Int, to writer: inout ByteWriter) {
            guard level < shape.count else { return element(to: &writer) }
            writer.write(UInt8(ascii: "["))
            for index in 0..<max(shape[level], 0) {
                if index > 0 { writer.write(UInt8(ascii: ",")) }
                write(level: level + 1, to: &writer)
            }
            writer.write(UInt8(ascii: "]"))
        }

        private mutating func element(to writer: inout ByteWriter) {
            defer { next += 1 }
            guard entry.datatype == .bytes else {
                guard next < entry.elementCount else { return writer.write("null") }
                return TensorJSONWriter.write(bytes, next, entry.datatype, to: &writer)
            }
            if next < strings.count {
                writer.write(string: strings[next])
            } else {
                writer.write("null")
            }
        }
    }
}
