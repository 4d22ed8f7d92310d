import AloftClient
import AloftDomain
import AloftTransfer
import ArgumentParser
import Foundation

struct ImportCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "import",
        abstract: "Take what another tracker holds.",
        discussion: "Example: aloft import mlflow http://tracking.example:5000",
        subcommands: [MLflow.self])

    struct MLflow: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "mlflow",
            abstract:
                "Take experiments, runs, models and files of an MLflow server, database or folder.",
            discussion: """
                Examples:
                  aloft import mlflow http://tracking.example:5000
                  aloft import mlflow ./mlflow.db --artifacts ./mlartifacts
                  aloft import mlflow ./mlruns

                Run and model identifiers stay as they are, so that links go on working. It may be
                stopped at any moment and started again; a second time it adds only what is new.
                The source is only read. MLFLOW_TRACKING_TOKEN, or MLFLOW_TRACKING_USERNAME and
                MLFLOW_TRACKING_PASSWORD, open a source that asks for them.
                """)

        @Argument(
            help: "An address of an MLflow server, or the path of its SQLite file or folder mlruns."
        )
        var source: String

        @Option(help: "Only this experiment, by name; may be given several times.")
        var experiment: [String] = []

        @Option(
            help: ArgumentHelp(
                "Where the source's artifacts are on this machine, if not where it says.",
                valueName: "folder"))
        var artifacts: String?

        @Flag(
            name: .customLong("trust-paths"),
            help: ArgumentHelp(
                "Read files wherever the source says they are, and follow links to files. Without it "
                    + "only the folder of --artifacts, and mlartifacts and mlruns beside the "
                    + "database, are read."))
        var trustPaths = false

        @OptionGroup var options: ServerOptions

        func run() async throws {
            let progress = ProgressLine(verb: "took")
            let importer = Importer(
                from: try open(), into: try options.client(), experiments: Set(experiment),
                tell: { progress.show($0) })
            try await TransferOutput.run(progress, json: options.json) {
                try await importer.run()
            }
        }

        private func open() throws -> any TransferSource {
            guard source.hasPrefix("http://") || source.hasPrefix("https://") else {
                var path = source
                for scheme in ["sqlite:///", "file://"] where path.hasPrefix(scheme) {
                    path = String(path.dropFirst(scheme.count))
                }
                var isFolder: ObjCBool = false
                guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
                    throw CommandFailure.usage(
                        "\(source): expected an address such as http://host:5000, or the path of "
                            + "an mlflow.db or a folder mlruns")
                }
                if isFolder.boolValue {
                    return try MLflowFolderSource(
                        path: path, artifacts: artifacts, trustsPaths: trustPaths)
                }
                return try MLflowDatabaseSource(
                    path: path, artifacts: artifacts, trustsPaths: trustPaths)
            }
            return MLflowServerSource(
                connection: SourceConnection(
                    address: source, access: Self.access, http: ServerOptions.http),
                artifacts: artifacts, trustsPaths: trustPaths)
        }

        private static var access: SourceConnection.Access {
            let environment = ProcessInfo.processInfo.environment
            if let token = environment["MLFLOW_TRACKING_TOKEN"] { return .token(token) }
            guard let user = environment["MLFLOW_TRACKING_USERNAME"] else { return .open }
            return .password(
                user: user, password: environment["MLFLOW_TRACKING_PASSWORD"] ?? "")
        }
    }
}
