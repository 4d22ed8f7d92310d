import ArgumentParser
import Foundation

@main
struct Aloft: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "aloft",
        abstract: "From the first experiment to models in production, on your own machines.",
        discussion: """
            Start a server:   aloft server --data ./aloft-data
            Log to it:        MLFLOW_TRACKING_URI=http://127.0.0.1:5000 python train.py
            Deploy a model:   aloft deploy churn --model churn-model@champion --wait

            Exit status: 0 done, 1 it failed, 2 wrong usage.
            """,
        version: "aloft \(BuildVersion.text)",
        subcommands: [
            ServerCommand.self, GatewayCommand.self, StatusCommand.self, ApplyCommand.self,
            RunCommand.self, ProcessesCommand.self, LogsCommand.self, StopCommand.self,
            SweepCommand.self, RunsCommand.self, ModelsCommand.self, DeploymentsCommand.self,
            DeployCommand.self, RollbackCommand.self, RolloutCommand.self, ABCommand.self,
            ShadowCommand.self, SegmentsCommand.self, PredictCommand.self,
            PredictionsCommand.self, ExplainCommand.self, ReplayCommand.self, ScoreCommand.self,
            ImportCommand.self, ExportCommand.self, BackupCommand.self, RestoreCommand.self,
            SpaceCommand.self, TokenCommand.self, DoctorCommand.self, ShimCommand.self,
        ])

    /// Runs the command and maps every end to the exit statuses above.
    static func main() async {
        signal(SIGPIPE, SIG_IGN)
        do {
            var command = try parseAsRoot()
            if var command = command as? any AsyncParsableCommand {
                try await command.run()
            } else {
                try command.run()
            }
        } catch let failure as CommandFailure {
            Terminal.error(failure.message)
            Foundation.exit(failure.status)
        } catch let error where exitCode(for: error) == .success {
            exit(withError: error)
        } catch let error where exitCode(for: error) == .validationFailure {
            let text = fullMessage(for: error)
            Terminal.error(text.hasPrefix("Error: ") ? String(text.dropFirst(7)) : text)
            Foundation.exit(2)
        } catch let code as ExitCode {
            Foundation.exit(code.rawValue)
        } catch {
            Terminal.error(PlainError.text(of: error))
            Foundation.exit(1)
        }
    }
}
