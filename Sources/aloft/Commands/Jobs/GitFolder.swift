import AloftClient
import AloftCompute
import AloftDomain
import AloftProcess
import Crypto
import Foundation

/// What git says of a folder of code, and the code as a commit had it. It asks the `git` of the path,
/// and changes nothing. What submodules have that is not committed is left out: git would look into them by
/// their own configuration.
struct GitFolder {
    private let folder: String
    private let git: GitProgram

    /// A larger patch is not kept.
    private static let diffLimitBytes = 8 << 20
    /// More files that git does not know are no patch, nor are more that changed.
    private static let untrackedLimit = 100
    private static let changedLimit = 1000
    private static let submodules = "--ignore-submodules=dirty"

    /// - Throws: `CommandFailure`, see `GitProgram`.
    init(_ folder: String) throws {
        self.folder = folder
        git = try GitProgram(folder)
    }

    /// Commit, branch and remote, with what is not committed sent as a blob; `nil` in a folder that is
    /// not git's, or has no commit yet, or where there is no git.
    func origin(sendingTo client: ServerClient) async throws -> CodeOrigin? {
        guard var origin = origin(of: "HEAD") else { return nil }
        origin.branch = line("symbolic-ref", "--quiet", "--short", "HEAD")
        let asked = ["status", "--porcelain", "--untracked-files=normal", Self.submodules]
        origin.isDirty = bytes(asked + ["--", "."]).map { !$0.isEmpty } ?? false
        guard origin.isDirty, let patch = patch(), patch.count <= Self.diffLimitBytes else {
            return origin
        }
        let digest = ContentDigest(bytes: SHA256.hash(data: patch))
        let path = temporary("patch")
        defer { try? FileManager.default.removeItem(atPath: path) }
        try patch.write(to: URL(fileURLWithPath: path))
        try await client.putBlob(digest, fromFile: path, sizeBytes: Int64(patch.count))
        origin.diff = digest
        return origin
    }

    private func origin(of revision: String) -> CodeOrigin? {
        guard let commit = line("rev-parse", "--verify", "--quiet", revision + "^{commit}") else {
            return nil
        }
        var origin = CodeOrigin(commit: commit)
        origin.remote = line("remote", "get-url", "origin").map(CodeOrigin.withoutSecrets)
        return origin.isPlausible ? origin : nil
    }

    /// Changes of what git knows, and the files below this folder that it does not know yet, but for what
    /// the ignore files keep back; `nil` where that is too much. `git apply` takes it in this folder.
    private func patch() -> Data? {
        let diff = [
            "diff", "--no-ext-diff", "--no-textconv", "--no-color", "--submodule=short",
            Self.submodules,
        ]
        let plain = diff + ["--binary"]
        let changed = names(diff + ["--name-only", "--relative", "-z", "HEAD", "--", "."])
        let untracked = names(["ls-files", "--others", "--exclude-standard", "-z"])
        guard changed.count <= Self.changedLimit, untracked.count <= Self.untrackedLimit,
            (changed + untracked).reduce(0, { $0 + size(of: $1) }) <= Self.diffLimitBytes
        else { return nil }
        var patch = Data()
        if !changed.isEmpty {
            let asked = plain + ["--relative", "HEAD", "--"] + changed
            guard let said = bytes(asked) else { return nil }
            patch = said
        }
        for name in untracked {
            // Ends with 1 where the two differ, as they do.
            let asked = plain + ["--no-index", "--", "/dev/null", name]
            guard let added = bytes(asked, statuses: [0, 1]) else { return nil }
            patch += added
        }
        return patch
    }

    /// The names that git gives, without those that a snapshot leaves out.
    private func names(_ arguments: [String]) -> [String] {
        (bytes(arguments) ?? Data()).split(separator: 0)
            .map { String(decoding: $0, as: UTF8.self) }
            .filter { FolderSnapshot.includes($0, of: folder) }
    }

    private func size(of name: String) -> Int {
        var facts = stat()
        return lstat(folder + "/" + name, &facts) == 0 ? Int(facts.st_size) : 0
    }

    /// The files of a commit in a folder of their own.
    struct Checkout {
        let folder: String
        let origin: CodeOrigin

        func remove() { try? FileManager.default.removeItem(atPath: folder) }
    }

    /// - Throws: `CommandFailure` where this is no git folder or has no such commit.
    func checkout(_ revision: String) throws -> Checkout {
        guard line("rev-parse", "--git-dir") != nil else {
            throw CommandFailure("--at \(revision): this folder is not git's", status: 2)
        }
        guard !revision.hasPrefix("-"), var origin = origin(of: revision) else {
            throw CommandFailure(
                "--at \(revision): there is no such commit, branch or tag", status: 2)
        }
        if bytes(["show-ref", "--verify", "--quiet", "refs/heads/" + revision]) != nil {
            origin.branch = revision
        }
        let (target, archive) = (temporary("checkout"), temporary("tar"))
        defer { try? FileManager.default.removeItem(atPath: archive) }
        try FileManager.default.createDirectory(
            atPath: target, withIntermediateDirectories: true)
        let checkout = Checkout(folder: target, origin: origin)
        // Below the folder that this is, as `aloft apply` sends it.
        let isWritten =
            bytes(["archive", "--format=tar", "--output", archive, origin.commit]) != nil
        guard isWritten,
            Self.unpack(archive, into: target)
        else {
            checkout.remove()
            throw CommandFailure("--at \(revision): its files could not be written to \(target)")
        }
        return checkout
    }

    // MARK: Asking git

    private func line(_ arguments: String...) -> String? {
        guard let bytes = bytes(arguments) else { return nil }
        let text = String(decoding: bytes, as: UTF8.self)
            .trimmingCharacters(in: .whitespacesAndNewlines)
        return text.isEmpty ? nil : text
    }

    private func bytes(_ arguments: [String], statuses: Set<Int32> = [0]) -> Data? {
        git.output(of: arguments, statuses: statuses)
    }

    private static func unpack(_ archive: String, into target: String) -> Bool {
        // What it warns of is no part of what it says.
        let script = "exec tar -xf \"$1\" -C \"$2\" 2>/dev/null"
        let status = try? Spawn(
            executable: "/bin/sh", arguments: ["-c", script, "tar", archive, target],
            variables: ProcessInfo.processInfo.environment, folder: target, output: "/dev/null"
        ).run()
        return status == 0
    }

    private func temporary(_ kind: String) -> String {
        NSTemporaryDirectory() + "aloft-git-\(UUID().uuidString).\(kind)"
    }
}
