import AloftAPI
import AloftDomain
import AloftStore
import Foundation
import Logging

/// Keeps one gateway running beside the server.
///
/// The gateway is a process of its own in a session of its own: it goes on answering predictions
/// when the server is killed, and the next server adopts it instead of starting a second one. It is
/// told to end when the server ends in order.
struct GatewayChild: Sendable {
    let services: ServerServices
    let serverURL: String
    let listen: ListenAddress
    /// Where it answers over gRPC; `nil` for nowhere.
    let grpc: ListenAddress?

    private var folder: String { services.folder.gatewayPath }
    private var log: String { folder + "/gateway.log" }

    func run() async throws {
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        var pause = Duration.milliseconds(200)
        while !Task.isCancelled {
            let child = try await runningChild()
            let startedAt = ContinuousClock.now
            await waitForEnd(of: child)
            if Task.isCancelled { return await end(child) }
            services.logger.error(
                "the gateway ended",
                metadata: ["pid": "\(child.processID)", "why": "\(lastWords())", "log": "\(log)"])
            if ContinuousClock.now - startedAt > .seconds(10) { pause = .milliseconds(200) }
            try await services.time.clock.sleep(for: pause)
            pause = min(pause * 2, .seconds(10))
        }
    }

    /// The gateway that an earlier server left running, if it listens where this one should and
    /// follows the same address.
    private func adoptedChild() async throws -> ChildProcess? {
        guard let record = ChildRecord.read(in: folder), record.process.isRunning else {
            return nil
        }
        if record.listen == listen.description, record.server == serverURL,
            record.grpc == grpc?.description
        {
            services.logger.info(
                "adopted the running gateway", metadata: ["pid": "\(record.process.processID)"])
            return record.process
        }
        await end(record.process)
        return nil
    }

    private func runningChild() async throws -> ChildProcess {
        if let child = try await adoptedChild() { return child }
        return try await startChild()
    }

    private func startChild() async throws -> ChildProcess {
        var arguments = [
            "gateway", "--server", serverURL, "--data", folder, "--listen", listen.description,
        ]
        if let share = services.configuration.sharePath { arguments += ["--share", share] }
        if let grpc { arguments += ["--grpc", grpc.description] }
        var environment = ProcessInfo.processInfo.environment
        if services.configuration.access == .tokenRequired {
            arguments.append("--auth")
            environment["ALOFT_TOKEN"] = try await gatewayToken()
        }
        let child = try ChildProcess.start(
            executable: ProgramPath.current, arguments: arguments, environment: environment,
            log: log)
        try ChildRecord(
            process: child, listen: listen.description, server: serverURL, grpc: grpc?.description
        ).write(in: folder)
        services.logger.info(
            "started a gateway",
            metadata: ["pid": "\(child.processID)", "url": "\(listen.url)"])
        return child
    }

    /// Kept in the gateway's own folder, readable by the server's user only, so that a restarted
    /// server gives the same one.
    private func gatewayToken() async throws -> String {
        let path = folder + "/token"
        if let token = try? String(contentsOfFile: path, encoding: .utf8) { return token }
        let secret = TokenQueries.makeSecret(using: services.chance)
        let id: TokenID = services.chance.identifier()
        let now = services.time.now()
        try await services.store.write { db in
            try TokenQueries.revoke(db, kind: .gateway, name: "main", at: now)
            try TokenQueries.insert(
                db, id: id, name: "main", kind: .gateway, secret: secret, project: .default, at: now
            )
        }
        guard
            FileManager.default.createFile(
                atPath: path, contents: Data(secret.utf8), attributes: [.posixPermissions: 0o600])
        else { throw CommandFailure("cannot write \(path)") }
        return secret
    }

    /// The last line that the gateway wrote, which says why it ended if it could say so.
    private func lastWords() -> String {
        guard let file = FileHandle(forReadingAtPath: log) else { return "" }
        defer { try? file.close() }
        let end = (try? file.seekToEnd()) ?? 0
        try? file.seek(toOffset: end > 4096 ? end - 4096 : 0)
        let text = String(decoding: (try? file.readToEnd()) ?? Data(), as: UTF8.self)
        return text.split(whereSeparator: \.isNewline).last.map { String($0.prefix(500)) } ?? ""
    }

    private func waitForEnd(of child: ChildProcess) async {
        while child.isRunning, !Task.isCancelled {
            try? await services.time.clock.sleep(for: .milliseconds(100))
        }
    }

    /// Asks the gateway to finish what it has, and insists after ten seconds. Runs while the server's
    /// own task is cancelled, so it must not wait on that.
    private func end(_ child: ChildProcess) async {
        let time = services.time
        await Task.detached {
            child.signal(SIGTERM)
            for _ in 0..<100 where child.isRunning {
                try? await time.clock.sleep(for: .milliseconds(100))
            }
            if child.isRunning { child.signal(SIGKILL) }
        }.value
    }
}

/// `child.json` in the gateway's folder: how a later server finds the process again.
private struct ChildRecord: Codable {
    let process: ChildProcess
    let listen: String
    let server: String
    let grpc: String?

    static func read(in folder: String) -> ChildRecord? {
        guard let data = try? Data(contentsOf: URL(fileURLWithPath: folder + "/child.json")) else {
            return nil
        }
        return try? JSONDecoder().decode(ChildRecord.self, from: data)
    }

    func write(in folder: String) throws {
        let data = try JSONEncoder().encode(self)
        try data.write(to: URL(fileURLWithPath: folder + "/child.json"), options: .atomic)
    }
}
