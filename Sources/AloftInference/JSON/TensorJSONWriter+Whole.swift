// Tensors as MLflow's `onnx` flavor answers them.

extension TensorJSONWriter {
    /// The elements as arrays nested by the shape, whatever it is: a scalar is its one element.
    package static func writeWhole(
        _ entry: TensorSet.Entry, of tensors: TensorSet, to writer: inout ByteWriter
    ) {
        let elements = Elements(entry, of: tensors)
        nest(Array(tensors.shape(entry))[...], 0, &writer) { elements.write($0, to: &$1) }
    }

    /// The elements of a tensor one by one, while its set lives and does not change.
    package struct Elements {
        private let bytes: UnsafeRawBufferPointer
        private let datatype: Datatype
        private let strings: [UnsafeRawBufferPointer]

        package init(_ entry: TensorSet.Entry, of tensors: TensorSet) {
            bytes = tensors.bytes(entry)
            datatype = entry.datatype
            strings = entry.datatype == .bytes ? tensors.strings(entry) ?? [] : []
        }

        package func write(_ index: Int, to writer: inout ByteWriter) {
            if datatype != .bytes {
                TensorJSONWriter.write(bytes, index, datatype, to: &writer)
            } else if index >= 0, index < strings.count {
                writer.write(string: strings[index])
            }
        }
    }

    /// Writes what lies below one place.
    ///
    /// - Parameter first: the first element there.
    private static func nest(
        _ shape: ArraySlice<Int64>, _ first: Int, _ writer: inout ByteWriter,
        _ element: (Int, inout ByteWriter) -> Void
    ) {
        guard let dimension = shape.first else { return element(first, &writer) }
        let count = max(Int(clamping: dimension), 0)
        let rest = shape.dropFirst()
        let stride = rest.reduce(1) { $0 * Int(clamping: $1) }
        writer.write(UInt8(ascii: "["))
        for index in 0..<count {
            if index > 0 { writer.write(UInt8(ascii: ",")) }
            if rest.isEmpty {
                element(first + index, &writer)
            } else {
                nest(rest, first + index * stride, &writer, element)
            }
        }
        writer.write(UInt8(ascii: "]"))
    }
}
