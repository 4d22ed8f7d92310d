import AloftClient
import AloftDomain
import ArgumentParser
import Foundation

struct PredictCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "predict",
        abstract: "Ask a deployment for predictions.",
        discussion: """
            Examples:
              aloft predict churn --input rows.csv
              echo '{"instances": [[1, 2, 3]]}' | aloft predict churn --input -

            The input is a CSV file with a header line, an MLflow scoring body (dataframe_split,
            dataframe_records, instances, inputs), or an Open Inference Protocol body, whose inputs are
            a list of named tensors.
            """)

    @Argument(help: "The deployment, or DEPLOYMENT.ENVIRONMENT outside production.")
    var deployment: String

    @Option(help: ArgumentHelp("A file with the rows; - reads them here.", valueName: "file"))
    var input: String

    @Option(
        help: ArgumentHelp(
            "The gateway's address; else ALOFT_GATEWAY, else http://127.0.0.1:5001.",
            valueName: "url"))
    var gateway: String?

    @Flag(help: "Print the whole reply instead of one prediction a line.")
    var json = false

    private struct Predictions: Decodable { let predictions: [JSONValue] }

    func run() async throws {
        let environment = ProcessInfo.processInfo.environment
        let address = gateway ?? environment["ALOFT_GATEWAY"] ?? "http://127.0.0.1:5001"
        let data = try readInput()
        let isJSON = data.first { $0 > 0x20 } == UInt8(ascii: "{")
        let isTensors = isJSON && Self.hasNamedTensors(data)
        let client = ServerClient(
            server: address, token: environment["ALOFT_TOKEN"],
            http: ServerOptions.http)
        let reply: Data
        do {
            reply = try await client.post(
                path: isTensors ? "/v2/models/{name}/infer" : "/deployments/{name}/invocations",
                parameters: ["name": deployment], data: data,
                contentType: isJSON ? "application/json" : "text/csv")
        } catch ClientError.unreachable(_, let reason) {
            throw CommandFailure(
                "no answer from the gateway at \(address) (\(reason)). Is one running there? Name "
                    + "another with --gateway or ALOFT_GATEWAY.")
        }
        if !json, let predictions = try? JSONDecoder().decode(Predictions.self, from: reply) {
            for prediction in predictions.predictions {
                Terminal.line(try Self.text(prediction))
            }
        } else {
            Terminal.json(text: String(decoding: reply, as: UTF8.self))
        }
    }

    private func readInput() throws -> Data {
        if input == "-" { return FileHandle.standardInput.readDataToEndOfFile() }
        guard let data = FileManager.default.contents(atPath: input) else {
            throw CommandFailure("--input \(input): no such file, or it cannot be read")
        }
        return data
    }

    /// Whether `inputs` is a list of objects with a name, as in the Open Inference Protocol.
    private static func hasNamedTensors(_ data: Data) -> Bool {
        guard let value = try? JSONDecoder().decode(JSONValue.self, from: data),
            case .array(let inputs) = value["inputs"]
        else { return false }
        return inputs.first?["datatype"] != nil
    }

    private static func text(_ value: JSONValue) throws -> String {
        if let text = value.stringValue { return text }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(value), as: UTF8.self)
    }
}
