import AloftPredictionLog

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Which inputs and outputs of an ONNX file say their shape. The runtime reports a scalar and a tensor of
/// any shape alike, without dimensions; the file tells them apart. Read in place: weights are stepped over.
enum OnnxShapes {
    // Fields of onnx.proto.
    private static let graph: UInt64 = 7
    private static let inputs: UInt64 = 11
    private static let outputs: UInt64 = 12
    private static let name: UInt64 = 1
    private static let type: UInt64 = 2
    private static let tensor: UInt64 = 1
    private static let shape: UInt64 = 2

    /// The names of those that do; empty where the file is none of this kind.
    static func declared(inFile path: String) -> Set<String> {
        withFile(path) { bytes in
            do throws(InferenceError) {
                return try declared(bytes)
            } catch {
                return []
            }
        }
    }

    static func declared(_ model: UnsafeRawBufferPointer) throws(InferenceError) -> Set<String> {
        var names: Set<String> = []
        try each(graph, of: ProtobufSlice(bytes: model, offset: 0)) {
            (graph) throws(InferenceError) in
            for field in [inputs, outputs] {
                try each(field, of: graph) { (value) throws(InferenceError) in
                    if let name = try nameWithShape(value) { names.insert(name) }
                }
            }
        }
        return names
    }

    private static func nameWithShape(
        _ value: ProtobufSlice
    ) throws(InferenceError) -> String? {
        var text: String?
        var hasShape = false
        try each(name, of: value) { (bytes) throws(InferenceError) in
            text = String(decoding: bytes.bytes, as: UTF8.self)
        }
        try each(type, of: value) { (type) throws(InferenceError) in
            try each(tensor, of: type) { (tensor) throws(InferenceError) in
                try each(shape, of: tensor) { (_) throws(InferenceError) in hasShape = true }
            }
        }
        return hasShape ? text : nil
    }

    /// Hands over each value of a field, which is a text or a message.
    private static func each(
        _ wanted: UInt64, of message: ProtobufSlice,
        _ take: (ProtobufSlice) throws(InferenceError) -> Void
    ) throws(InferenceError) {
        var cursor = ProtobufCursor(message)
        while let (field, wire) = try cursor.next() {
            if field == wanted, wire == .bytes {
                try take(try cursor.slice())
            } else {
                try cursor.skip(wire)
            }
        }
    }

    private static func withFile(
        _ path: String, _ read: (UnsafeRawBufferPointer) -> Set<String>
    ) -> Set<String> {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return [] }
        defer { close(descriptor) }
        var facts = stat()
        guard fstat(descriptor, &facts) == 0, facts.st_size > 0 else { return [] }
        let count = Int(clamping: facts.st_size)
        guard let memory = mmap(nil, count, PROT_READ, MAP_PRIVATE, descriptor, 0),
            memory != MAP_FAILED
        else { return [] }
        defer { munmap(memory, count) }
        return read(UnsafeRawBufferPointer(start: memory, count: count))
    }
}
