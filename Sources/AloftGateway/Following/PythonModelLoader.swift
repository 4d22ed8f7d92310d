package import AloftInference
package import AloftWire

/// Starts the workers of a model that ONNX cannot express.
package protocol PythonModelLoader: Sendable {
    /// - Parameters:
    ///   - archive: the tar of the MLflow model folder.
    ///   - folder: the model's own folder on this gateway.
    ///   - settings: how its workers run.
    func load(
        _ served: ServedRevision, archive: String, folder: String, settings: WorkerBatcher.Settings
    ) async throws -> (runner: any ModelRunner, model: any RemoteModel)
}
