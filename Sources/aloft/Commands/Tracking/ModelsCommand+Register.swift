import AloftClient
import AloftDomain
import AloftWire
import ArgumentParser
import Foundation

extension ModelsCommand {
    /// A plain ONNX file becomes a version of a registered model, through the tracking protocol.
    struct Register: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Register a plain ONNX file as the next version of a model.",
            discussion: """
                What it takes and gives is what the file says. Files that hold its weights follow it.

                Examples:
                  aloft models register detector detector.onnx
                  aloft models register writer writer.onnx writer.weights
                  aloft deploy detector --model detector/1 --wait
                """)

        @Argument(help: "The model's name.")
        var model: String

        @Argument(help: "The ONNX file, then the files beside it that hold its weights.")
        var files: [String]

        @OptionGroup var options: ServerOptions

        private struct Registered: Encodable {
            var model: String
            var version: String
        }

        func run() async throws {
            let sizes = try files.map(Self.size)
            guard let first = files.first, first.ends(with: ".onnx") else {
                throw CommandFailure("the first file must be an ONNX file, as in detector.onnx")
            }
            let tracking = TrackingClient(client: try options.client())
            let made = try await tracking.createLoggedModel(named: Self.stem(of: first))
            guard let uri = made.artifactURI else {
                throw CommandFailure("the server does not say where the files of a model go")
            }
            for (path, size) in zip(files, sizes) {
                try await tracking.client.putArtifact(
                    Self.name(of: path), in: uri, fromFile: path, sizeBytes: size)
            }
            try await tracking.finishLoggedModel(made.modelID)
            let version = try await tracking.register(model, loggedModel: made.modelID)
            guard !options.json else {
                return try Terminal.json(Registered(model: model, version: version))
            }
            Terminal.line("\(model)/\(version)")
        }

        private static func name(of path: String) -> String {
            URL(fileURLWithPath: path).lastPathComponent
        }

        private static func stem(of path: String) -> String {
            URL(fileURLWithPath: path).deletingPathExtension().lastPathComponent
        }

        private static func size(of path: String) throws -> Int64 {
            let facts = try? FileManager.default.attributesOfItem(atPath: path)
            guard let size = facts?[.size] as? Int64,
                facts?[.type] as? FileAttributeType == .typeRegular
            else { throw CommandFailure("\(path) is no file that can be read") }
            return size
        }
    }
}

extension TrackingClient {
    struct LoggedModel: Codable {
        var modelID: String
        var artifactURI: String?
    }

    /// In the experiment `Default`.
    func createLoggedModel(named name: String) async throws -> LoggedModel {
        struct Body: Encodable {
            var experimentID = "0"
            var name: String

            enum CodingKeys: String, CodingKey {
                case experimentID = "experiment_id"
                case name
            }
        }
        struct Reply: Decodable {
            struct Model: Decodable { var info: LoggedModel }
            var model: Model
        }
        let reply: Reply = try await post("logged-models", Body(name: name))
        return reply.model.info
    }

    func finishLoggedModel(_ id: String) async throws {
        _ = try await client.track(
            .patch, "logged-models/\(id)",
            body: try JSONEncoder().encode(["model_id": id, "status": "LOGGED_MODEL_READY"]))
    }

    /// The next version of the model, which is made where there is none.
    ///
    /// - Returns: its number.
    func register(_ name: String, loggedModel id: String) async throws -> String {
        struct Reply: Decodable { var modelVersion: Version }
        do {
            _ = try await client.track(
                .post, "registered-models/create", body: try JSONEncoder().encode(["name": name]))
        } catch ClientError.refused(_, let code, _) where code == "resource_already_exists" {
            // Another version of it, then.
        }
        let reply: Reply = try await post(
            "model-versions/create",
            ["name": name, "source": "models:/\(id)", "model_id": id])
        return reply.modelVersion.version
    }
}
