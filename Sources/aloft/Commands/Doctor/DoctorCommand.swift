import AloftProcess
import ArgumentParser
import Foundation

struct DoctorCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor",
        abstract: "Say what this machine gives a server: isolation, and what is missing for more.",
        discussion: """
            Example: aloft doctor --data ./aloft-data

            Run it as the user that runs the server. It changes nothing.
            """)

    @Option(help: ArgumentHelp("The folder of the server.", valueName: "dir"))
    var data = "./aloft-data"

    @Flag(help: "Print JSON instead of a table.")
    var json = false

    @Flag(help: "Fail where there is no isolation.")
    var requireIsolation = false

    func run() throws {
        let report = DoctorReport(
            data: data, environment: ProcessInfo.processInfo.environment)
        if json { try Terminal.json(report) } else { Terminal.text(report.text) }
        if requireIsolation, report.isolation == IsolationKind.none.rawValue {
            throw CommandFailure("what users run cannot be isolated here")
        }
    }
}

/// What `aloft doctor` found.
struct DoctorReport: Codable, Equatable {
    var version: String
    /// `namespaces`, `landlock` or `none`.
    var isolation: String
    /// Why not a better one; empty where it is the best.
    var reasons: [String]
    /// 0 where the kernel has none.
    var landlockVersion: Int
    var kernel: String
    var user: String
    /// Absolute.
    var dataFolder: String
    var dataFolderExists: Bool
    /// On the disk that holds it; `nil` where there is no such disk.
    var freeBytes: Int64?
    /// The program that builds Python environments.
    var uv: String?

    init(data: String, environment: [String: String]) {
        version = BuildVersion.text
        let folder = URL(fileURLWithPath: data).standardizedFileURL.path
        let probe = IsolationProbe.run(hiding: folder, wanted: nil)
        isolation = probe.kind.rawValue
        reasons = probe.reasons
        landlockVersion = probe.landlockVersion
        let release = try? String(contentsOfFile: "/proc/sys/kernel/osrelease", encoding: .utf8)
        kernel = (release ?? "").trimmingCharacters(in: .whitespacesAndNewlines)
        user = geteuid() == 0 ? "root" : "\(geteuid())"
        dataFolder = folder
        dataFolderExists = FileManager.default.fileExists(atPath: folder)
        var facts = statvfs()
        freeBytes =
            statvfs(folder, &facts) == 0 ? Int64(facts.f_bavail) * Int64(facts.f_frsize) : nil
        uv = NearbyTools.uv(path: environment["PATH"])
    }

    var text: String {
        var lines = [
            "aloft        \(version)",
            "kernel       \(kernel), Landlock \(landlockVersion == 0 ? "none" : "\(landlockVersion)")",
            "user         \(user)",
            "data folder  \(dataFolder)\(dataFolderExists ? "" : " (not there yet)")",
        ]
        if let freeBytes { lines.append("free         \(freeBytes >> 20) MiB") }
        lines.append("uv           \(uv ?? "not found: Python environments cannot be built")")
        lines.append("isolation    \(isolation)")
        lines += reasons.map { "             \($0)" }
        if isolation == IsolationKind.none.rawValue {
            lines.append(
                "             jobs and models' code can read and change all that the server can")
        }
        return lines.joined(separator: "\n") + "\n"
    }
}
