import AloftClient
import AloftCompute
import AloftDomain
import AloftProjectFile
import AloftWire
import ArgumentParser
import Foundation

struct ApplyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "apply",
        abstract: "Check a project file and send it to the server with its folder.",
        discussion: """
            Example: aloft apply aloft.yaml

            Every fault of the file is shown with its line before anything happens. The folder is
            sent as it is, without what .gitignore and .aloftignore name; jobs run in a copy of it.

            A deployment, and a model with its checks, belong to the project that named them first.
            A file that names another project's is refused, unless --take-over moves them here.
            """)

    @Argument(help: "The project file.")
    var file = "aloft.yaml"

    @Flag(help: "Only check the file; ask no server.")
    var check = false

    @Flag(
        name: .customLong("take-over"),
        help: "Make deployments and models that are another project's this project's own.")
    var takeOver = false

    @OptionGroup var options: ServerOptions

    func run() async throws {
        let (text, parsed) = try ProjectFileSource.read(file)
        guard !check else {
            if options.json {
                return try Terminal.json(["project": parsed.project.rawValue])
            }
            Terminal.line("\(file) is right: project \(parsed.project)")
            return warn(parsed.unactedParts)
        }
        let client = try options.client()
        let folder = URL(fileURLWithPath: file).standardizedFileURL.deletingLastPathComponent().path
        let snapshot = try await FolderUpload.send(folder, to: client, isQuiet: options.json)
        let reply = try await client.call(
            ApplyProjectFile.self,
            body: .init(
                text: text, file: file, snapshot: snapshot,
                code: try await GitFolder(folder).origin(sendingTo: client),
                takeOver: takeOver ? true : nil))
        if options.json { return try Terminal.json(reply) }
        if reply.isNew {
            Terminal.line("project \(reply.project), revision \(reply.revision)")
            for change in reply.changes { Terminal.line("  \(change)") }
        } else {
            Terminal.line("project \(reply.project), revision \(reply.revision): nothing changed")
        }
        warn(reply.warnings)
    }

    private func warn(_ parts: [String]) {
        for part in parts { Terminal.note("not acted on yet: \(part)") }
    }

}

/// Sends a folder's files, as jobs get them.
enum FolderUpload {
    static func send(
        _ folder: String, to client: ServerClient, isQuiet: Bool
    ) async throws -> ContentDigest {
        let path = NSTemporaryDirectory() + "aloft-snapshot-\(UUID().uuidString).tar"
        defer { try? FileManager.default.removeItem(atPath: path) }
        let snapshot = try FolderSnapshot.pack(folder: folder, to: path)
        if !isQuiet {
            Terminal.note(
                "sending \(snapshot.fileCount) files, \(max(1, snapshot.sizeBytes >> 10)) KiB")
        }
        try await client.putBlob(snapshot.digest, fromFile: path, sizeBytes: snapshot.sizeBytes)
        return snapshot.digest
    }
}

enum ProjectFileSource {
    /// A file's text and what it says.
    ///
    /// - Throws: `CommandFailure` if there is no such file, `ProjectFileError` if it is wrong.
    static func read(_ path: String) throws -> (text: String, file: ProjectFile) {
        guard let data = FileManager.default.contents(atPath: path) else {
            throw CommandFailure(
                "\(path): there is no such file, or it cannot be read. A project file begins with "
                    + "`project: NAME`.", status: 2)
        }
        guard let text = String(data: data, encoding: .utf8) else {
            throw CommandFailure("\(path) is no text in UTF-8")
        }
        return (text, try ProjectFileParser.parse(text, file: path))
    }

    /// The project of the `aloft.yaml` in the current folder; `nil` where there is none. One that is
    /// wrong is refused, by every command alike: what it meant is not known, and another project is not
    /// what was meant.
    ///
    /// - Throws: as `read`.
    static func currentProject() throws -> ProjectID? {
        let path = "aloft.yaml"
        var facts = stat()
        // A link that leads nowhere is there too, and cannot be read.
        guard lstat(path, &facts) == 0 else {
            guard errno == ENOENT || errno == ENOTDIR else {
                throw CommandFailure("\(path): \(String(cString: strerror(errno)))", status: 2)
            }
            return nil
        }
        return try read(path).file.project
    }
}
