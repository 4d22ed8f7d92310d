import AloftDomain
import AloftInference
import AloftWire

// Triton's extensions `model_configuration` and `statistics`.
extension ConnectionHandler {
    /// The configuration as `tritonclient` and `perf_analyzer` read it. Shapes stand there whole, so
    /// `max_batch_size` is 0: the server adds no dimension of its own.
    func configuration(_ name: String, version: String?) {
        if let endpoint = loop.table.endpoints[name], endpoint.isEvicted {
            return loadOnDemand(endpoint)
        }
        do throws(GatewayFailure) {
            let model = try loop.table.description(name, version: version)
            json(
                "{\"name\":\(Self.quoted(name)),\"platform\":\"\(model.platform)\","
                    + "\"backend\":\"\(model.backend)\",\"max_batch_size\":0,"
                    + "\"input\":\(Self.configured(model.inputs)),"
                    + "\"output\":\(Self.configured(model.outputs))}")
        } catch {
            answer(error)
        }
    }

    private static func configured(_ tensors: [TensorSignature]) -> String {
        let items = tensors.map { tensor in
            let dimensions = (tensor.shape ?? []).map(String.init).joined(separator: ",")
            return "{\"name\":\(quoted(tensor.name)),\"data_type\":\""
                + "\(tensor.datatype.configurationName)\",\"dims\":[\(dimensions)]}"
        }
        return "[\(items.joined(separator: ","))]"
    }

    /// - Parameter name: `nil` for all deployments.
    func statistics(_ name: String?, version: String?) {
        do throws(GatewayFailure) {
            let all = try loop.table.statistics(name, version: version, now: loop.shared.time.now())
            json("{\"model_stats\":[\(all.map(Self.text).joined(separator: ","))]}")
        } catch {
            answer(error)
        }
    }

    private static func text(_ model: ModelStatistics) -> String {
        let none = ModelStatistics.Duration(count: 0, nanoseconds: 0)
        let all = model.parts + [("cache_hit", none), ("cache_miss", none)]
        let parts = all.map { name, value in
            "\"\(name)\":{\"count\":\(value.count),\"ns\":\(value.nanoseconds)}"
        }
        return "{\"name\":\(quoted(model.name)),\"version\":\(quoted(model.version)),"
            + "\"last_inference\":\(model.lastInferenceMilliseconds),"
            + "\"inference_count\":\(model.inferences),\"execution_count\":\(model.executions),"
            + "\"inference_stats\":{\(parts.joined(separator: ","))},\"batch_stats\":[]}"
    }
}
