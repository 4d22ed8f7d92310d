import AloftCompute
import AloftProcess
import ArgumentParser

/// The keeper of one job; started by the server, not by people.
struct ShimCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "shim", abstract: "Keep one job (started by the server).", shouldDisplay: false
    )

    @Argument(help: "The attempt's folder.")
    var folder: String

    func run() throws {
        PrivateFiles.begin()
        ThisProcess.forbidInspection()
        try Shim(folder: folder).run()
    }
}
