import AloftProcess
import ArgumentParser
import Foundation
import Logging

/// How isolated what users run has to be; the options of `aloft server` and `aloft gateway`.
struct IsolationOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "What holds jobs, models' code and builds of packages back: auto (the best that this "
                + "machine gives), namespaces, landlock or none; see `aloft doctor`.",
            valueName: "kind"))
    var isolation = "auto"

    @Flag(help: "Do not start, and run no job, where there is no isolation.")
    var requireIsolation = false

    /// The policy for programs that must not see `folders`.
    ///
    /// - Throws: `CommandFailure` where what is asked for cannot be had.
    func policy(hiding folders: [String], logger: Logger) throws -> IsolationPolicy {
        let wanted = IsolationKind(rawValue: isolation)
        guard wanted != nil || isolation == "auto" else {
            throw CommandFailure.usage(
                "--isolation \(isolation): expected auto, namespaces, landlock or none")
        }
        let probe = IsolationProbe.run(hiding: folders.first ?? "/nonexistent", wanted: wanted)
        let why = probe.reasons.joined(separator: "; ")
        if let wanted, wanted != .none, probe.kind != wanted {
            throw CommandFailure("--isolation \(isolation) cannot be had here: \(why)")
        }
        // What can be mended is not passed over for running without.
        if wanted == nil, probe.kind == .none, let obstacle = probe.obstacle {
            throw CommandFailure(
                "what users run cannot be isolated here: \(obstacle); or start with --isolation none"
            )
        }
        let kind = wanted ?? probe.kind
        if kind == .none {
            if requireIsolation {
                let reason = why.isEmpty ? "--isolation none was given" : why
                throw CommandFailure(
                    "--require-isolation: what users run cannot be isolated here: \(reason)")
            }
            logger.warning(
                "jobs and models' code run without isolation and may do all that the server may",
                metadata: ["why": "\(why)"])
        } else {
            logger.info("isolation", metadata: ["kind": "\(kind.rawValue)"])
        }
        return IsolationSetup.policy(
            kind: kind, isRequired: requireIsolation, hiding: folders,
            environment: UserHome.completed(
                ProcessInfo.processInfo.environment, folder: folders.first ?? "/nonexistent"))
    }
}

enum IsolationSetup {
    /// The folder, for this user only, in which gateways keep the sockets of their workers.
    static var socketFolder: String { "/tmp/aloft-\(geteuid())" }

    static func policy(
        kind: IsolationKind, isRequired: Bool, hiding folders: [String],
        environment: [String: String]
    ) -> IsolationPolicy {
        let home = environment["HOME"].flatMap { $0.hasPrefix("/") ? $0 : nil }
        let caches = environment["XDG_CACHE_HOME"] ?? home.map { $0 + "/.cache" }
        let cache = environment["UV_CACHE_DIR"] ?? caches.map { $0 + "/uv" }
        let interpreters =
            environment["UV_PYTHON_INSTALL_DIR"]
            ?? (environment["XDG_DATA_HOME"] ?? home.map { $0 + "/.local/share" })
            .map { $0 + "/uv/python" }
        // Only what is there can be shown or hidden.
        for folder in [cache, socketFolder].compactMap({ $0 }) {
            try? FileManager.default.createDirectory(
                atPath: folder, withIntermediateDirectories: true,
                attributes: [.posixPermissions: 0o700])
        }
        let program = ProgramPath.current
        let tools = [NearbyTools.uv(path: environment["PATH"]), interpreters].compactMap { $0 }
        return IsolationPolicy(
            kind: kind, isRequired: isRequired, hidden: folders + [socketFolder],
            fixed: [program] + tools, home: home, temporary: environment["TMPDIR"],
            packageCache: cache)
    }
}
