import AloftGateway
import AloftInference

/// `ModelConfig` and `ModelStatistics` of Triton. Of their large messages only what there is to say is
/// written, by hand; the requests have the fields of `ModelMetadataRequest`.
extension SmallMethods {
    /// `nil` for other methods.
    func tritonReply(_ method: InferenceMethod, _ bytes: [UInt8]) async throws -> [UInt8]? {
        switch method {
        case .modelConfig:
            let asked: Inference_ModelMetadataRequest = try Self.read(bytes)
            return Self.configuration(
                try await models.description(asked.name, version: asked.version))
        case .modelStatistics:
            let asked: Inference_ModelMetadataRequest = try Self.read(bytes)
            let all = try await models.statistics(asked.name, version: asked.version)
            var reply = FieldWriter()
            for model in all { reply.message(1) { Self.write(model, to: &$0) } }
            return reply.bytes
        case .serverLive, .serverReady, .serverMetadata, .modelReady, .modelMetadata, .modelInfer,
            .modelStreamInfer, .repositoryIndex, .repositoryModelLoad, .repositoryModelUnload:
            return nil
        }
    }

    /// `ModelConfigResponse`. `max_batch_size` stays 0: shapes stand there whole.
    private static func configuration(_ model: ModelDescription) -> [UInt8] {
        var reply = FieldWriter()
        reply.message(1) { config in
            config.text(1, model.name)
            config.text(2, model.platform)
            for tensor in model.inputs {
                config.message(5) { write(tensor, dimensions: 4, to: &$0) }
            }
            for tensor in model.outputs {
                config.message(6) { write(tensor, dimensions: 3, to: &$0) }
            }
            config.text(17, model.backend)
        }
        return reply.bytes
    }

    private static func write(
        _ tensor: TensorSignature, dimensions: UInt64, to writer: inout FieldWriter
    ) {
        writer.text(1, tensor.name)
        writer.number(2, UInt64(clamping: tensor.datatype.configurationNumber))
        writer.message(dimensions) { list in
            for dimension in tensor.shape ?? [] {
                list.varint(UInt64(bitPattern: Int64(clamping: dimension)))
            }
        }
    }

    private static func write(_ model: ModelStatistics, to writer: inout FieldWriter) {
        writer.text(1, model.name)
        writer.text(2, model.version)
        writer.number(3, model.lastInferenceMilliseconds)
        writer.number(4, model.inferences)
        writer.number(5, model.executions)
        writer.message(6) { statistics in
            for (place, part) in model.parts.enumerated() {
                statistics.message(UInt64(clamping: place) + 1) {
                    $0.number(1, part.duration.count)
                    $0.number(2, part.duration.nanoseconds)
                }
            }
        }
    }
}

/// Writes the fields of a protobuf message one behind the other.
struct FieldWriter {
    private(set) var bytes: [UInt8] = []

    mutating func text(_ field: UInt64, _ text: String) {
        run(field, Array(text.utf8))
    }

    mutating func number(_ field: UInt64, _ number: UInt64) {
        varint(field << 3)
        varint(number)
    }

    mutating func message(_ field: UInt64, _ write: (inout FieldWriter) -> Void) {
        var inner = FieldWriter()
        write(&inner)
        run(field, inner.bytes)
    }

    private mutating func run(_ field: UInt64, _ content: [UInt8]) {
        varint(field << 3 | 2)
        varint(UInt64(content.count))
        bytes += content
    }

    mutating func varint(_ number: UInt64) {
        var rest = number
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(truncatingIfNeeded: rest))
    }
}
