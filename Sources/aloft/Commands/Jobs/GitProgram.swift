import AloftDomain
import AloftProcess
import Foundation

/// The one place that starts `git`. A folder's own configuration may name programs to run: what watches its
/// files, what filters them, what shows differences, what signs, what fetches. None of them is run: whoever
/// asks about a folder does not yet trust what is in it.
struct GitProgram {
    private let folder: String
    /// `nil` where git is not asked.
    private let overrides: [String]?

    /// Settings that outdo those of the folder, wherever it has them (git-config(1), "SCOPES").
    private static let safe = [
        "core.fsmonitor=false", "core.hooksPath=/dev/null", "core.pager=cat",
        "core.sshCommand=false", "core.gitProxy=false", "core.askPass=false", "core.editor=false",
        "core.alternateRefsCommand=false", "diff.external=", "diff.submodule=short",
        "status.submoduleSummary=false", "submodule.recurse=false", "credential.helper=",
        "gpg.program=false", "gpg.openpgp.program=false", "gpg.x509.program=false",
        "gpg.ssh.program=false", "gpg.ssh.defaultKeyCommand=false", "log.showSignature=false",
        "maintenance.auto=false", "gc.auto=0",
    ]
    private static let mostFilters = 100

    /// - Throws: `CommandFailure` where the folder's configuration has filters that cannot be switched off.
    init(_ folder: String) throws {
        self.folder = folder
        let fixed = Self.safe.flatMap { ["-c", $0] }
        // Reading the configuration runs nothing.
        let asked = ["config", "--null", "--show-scope", "--name-only", "--get-regexp"]
        let said = Self.output(of: fixed + asked + [#"^filter\."#], in: folder, statuses: [0, 1])
        // A git that cannot say whose settings these are (before 2.26) is not asked about the folder.
        overrides = try said.map { try fixed + Self.filters($0).flatMap(Self.switchedOff) }
    }

    /// The filters that the folder itself defines. Those of the user and of the machine are run: git LFS
    /// is one.
    ///
    /// - Parameter said: scope and name in turn, each with a NUL behind.
    private static func filters(_ said: Data) throws -> [String] {
        let words = said.split(separator: 0, omittingEmptySubsequences: false)
            .map { String(decoding: $0, as: UTF8.self) }
        var found: Set<String> = []
        for place in stride(from: 0, to: words.count - 1, by: 2)
        where words[place] == "local" || words[place] == "worktree" {
            let name = words[place + 1]
            guard let end = name.utf8.lastIndex(of: UInt8(ascii: ".")),
                let filter = name[..<end].rest(after: "filter.")
            else { continue }
            found.insert(String(filter))
        }
        guard found.count <= mostFilters,
            !found.contains(where: { $0.utf8.contains(UInt8(ascii: "=")) })
        else {
            throw CommandFailure(
                "this folder's git configuration has filters with '=' in their names, or more than "
                    + "\(mostFilters), which cannot be switched off; git is not asked about it")
        }
        return found.sorted()
    }

    private static func switchedOff(_ filter: String) -> [String] {
        ["clean=", "smudge=", "process=", "required=false"].flatMap {
            ["-c", "filter.\(filter).\($0)"]
        }
    }

    /// What git wrote; `nil` where it ended otherwise.
    func output(of arguments: [String], statuses: Set<Int32> = [0]) -> Data? {
        guard let overrides else { return nil }
        return Self.output(
            of: overrides + ["--no-pager"] + arguments, in: folder, statuses: statuses)
    }

    private static func output(
        of arguments: [String], in folder: String, statuses: Set<Int32>
    ) -> Data? {
        let path = NSTemporaryDirectory() + "aloft-git-\(UUID().uuidString).out"
        defer { try? FileManager.default.removeItem(atPath: path) }
        var variables = ProcessInfo.processInfo.environment
        variables["GIT_OPTIONAL_LOCKS"] = "0"
        variables["GIT_TERMINAL_PROMPT"] = "0"
        // Nothing is fetched, by no protocol, whatever the folder allows: also not what it lacks itself.
        variables["GIT_ALLOW_PROTOCOL"] = "none"
        variables["GIT_NO_LAZY_FETCH"] = "1"
        variables["GIT_SSH_COMMAND"] = "false"
        variables["GIT_ASKPASS"] = "false"
        for name in ["GIT_EXTERNAL_DIFF", "GIT_PAGER", "GIT_PROXY_COMMAND"] {
            variables[name] = nil
        }
        // What it warns of is no part of what it says.
        let script = "exec git \"$@\" 2>/dev/null"
        let status = try? Spawn(
            executable: "/bin/sh", arguments: ["-c", script, "git"] + arguments,
            variables: variables, folder: folder, output: path
        ).run()
        guard let status, statuses.contains(status) else { return nil }
        return FileManager.default.contents(atPath: path) ?? Data()
    }
}
