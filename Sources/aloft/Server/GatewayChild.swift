import AloftAPI
import AloftCompute
import AloftControl
import AloftDomain
import AloftProcess
import AloftStore
import Foundation
import Logging

/// Keeps one gateway running beside the server.
///
/// The gateway is a process of its own in a session of its own: it goes on answering predictions
/// when the server is killed, and the next server adopts it instead of starting a second one. A server
/// of another build, or with other options, starts a gateway of its own that takes the running one's
/// place without refusing a request. The gateway is told to end when the server ends in order, but not
/// when SIGHUP says that the server is started again.
struct GatewayChild: Sendable {
    let services: ServerServices
    let serverURL: String
    let listen: ListenAddress
    /// Where it answers over gRPC; `nil` for nowhere.
    let grpc: ListenAddress?

    private var folder: String { services.folder.gatewayPath }
    private var log: String { folder + "/gateway.log" }
    private var crashes: CrashReports { CrashReports(folder: folder + "/crash-reports") }
    /// How long a gateway that crashed may take to write its report and end.
    private static let reportLimit = Duration.seconds(5)

    /// Between the end of one gateway and the start of the next; doubled with each that ends soon.
    private static let pauses = Duration.milliseconds(200)...Duration.seconds(10)
    private static let pace = ReconcileLoop.Pace(longestWait: pauses.upperBound)

    /// A turn lasts as long as the gateway runs.
    func run() async throws {
        let loop = ReconcileLoop(
            name: "gateway", pace: Self.pace, clock: services.time.clock, logger: services.logger)
        var pause = Self.pauses.lowerBound
        try await loop.run {
            try FileManager.default.createDirectory(
                atPath: folder, withIntermediateDirectories: true)
            let record = try await runningChild()
            let startedAt = ContinuousClock.now
            await waitForEnd(of: record)
            if Task.isCancelled {
                if !services.restart.isRestart { await end(record) }
                return .whenWoken
            }
            // One with another token gives way at once.
            if record.process.isRunning { return .within(.zero) }
            services.logger.error(
                "the gateway ended",
                metadata: [
                    "pid": "\(record.process.processID)", "why": "\(lastWords())", "log": "\(log)",
                ])
            if ContinuousClock.now - startedAt > .seconds(10) { pause = Self.pauses.lowerBound }
            defer { pause = min(pause * 2, Self.pauses.upperBound) }
            return .within(pause)
        }
    }

    /// The gateway that an earlier server left running where it is just the one that this server would
    /// start, else a new one, which takes over where both listen alike.
    private func runningChild() async throws -> ChildRecord {
        let arguments = makeArguments()
        let token = try await gatewayToken()
        guard let record = ChildRecord.read(in: folder),
            let running = [record.process, record.earlier].compactMap({ $0 }).first(
                where: \.isRunning)
        else { return try await startChild(arguments, token: token, earlier: nil) }
        // One that runs with a token that was lost or ended gives way to one with the new.
        let isSame =
            record.process == running && record.arguments == arguments
            && record.tokenDigest == token.map(TokenQueries.hash)
        if isSame, record.isOfThisProgram {
            services.logger.info(
                "adopted the running gateway", metadata: ["pid": "\(running.processID)"])
            return record
        }
        // A gateway of a build that hands nothing over has no such file.
        let handsOver = FileManager.default.fileExists(atPath: folder + "/handover/socket")
        guard record.listen == listen.description, handsOver else {
            await end(record)
            return try await startChild(arguments, token: token, earlier: nil)
        }
        services.logger.info(
            "replacing the running gateway", metadata: ["pid": "\(running.processID)"])
        return try await startChild(arguments, token: token, earlier: running)
    }

    private func makeArguments() -> [String] {
        var arguments = [
            "gateway", "--server", serverURL, "--data", folder, "--listen", listen.description,
        ]
        if let share = services.configuration.sharePath { arguments += ["--share", share] }
        if services.configuration.allowsAnySource { arguments.append("--packages-from-anywhere") }
        if let grpc { arguments += ["--grpc", grpc.description] }
        if services.configuration.access == .tokenRequired { arguments.append("--auth") }
        for name in services.configuration.hostNames { arguments += ["--host", name] }
        arguments += ["--hide", services.folder.path]
        let isolation = services.configuration.isolation
        arguments += ["--isolation", services.configuration.wantedIsolation]
        if isolation.isRequired { arguments.append("--require-isolation") }
        if let memory = services.configuration.modelMemoryMebibytes {
            arguments += ["--model-memory", "\(memory)"]
        }
        return arguments
    }

    private func startChild(
        _ arguments: [String], token: String?, earlier: ChildProcess?
    ) async throws -> ChildRecord {
        var environment = ProcessInfo.processInfo.environment
        if let token { environment["ALOFT_TOKEN"] = token }
        crashes.prepare()
        if environment[CrashReports.variable] == nil {
            environment[CrashReports.variable] = crashes.setting
        }
        let child = try ChildProcess.start(
            executable: ProgramPath.current, arguments: arguments, environment: environment,
            log: log)
        crashes.setAside(child.processID)
        let record = ChildRecord(
            process: child, listen: listen.description, arguments: arguments, earlier: earlier,
            tokenDigest: token.map(TokenQueries.hash),
            program: .ofThisProgram)
        try record.write(in: folder)
        services.logger.info(
            "started a gateway",
            metadata: ["pid": "\(child.processID)", "url": "\(listen.url)"])
        return record
    }

    /// Kept in the gateway's own folder, readable by the server's user only, so that a restarted
    /// server gives the same one. One that is cut, unknown to the database or ended is replaced. `nil`
    /// where no caller needs a token.
    private func gatewayToken() async throws -> String? {
        guard services.configuration.access == .tokenRequired else { return nil }
        let path = folder + "/token"
        let text = try? String(contentsOfFile: path, encoding: .utf8)
        if let kept = text?.trimmingCharacters(in: .whitespacesAndNewlines), !kept.isEmpty {
            let record = try await services.store.read { try TokenQueries.find($0, secret: kept) }
            if record?.kind == .gateway { return kept }
        }
        if text != nil {
            services.logger.warning(
                "the gateway's token is unknown here; made a new one", metadata: ["path": "\(path)"]
            )
        }
        let secret = TokenQueries.makeSecret(using: services.chance)
        let id: TokenID = services.chance.identifier()
        let now = services.time.now()
        try await services.store.write { db in
            try TokenQueries.revoke(db, kind: .gateway, name: "main", at: now)
            try TokenQueries.insert(
                db, id: id, name: "main", kind: .gateway, secret: secret, project: .default, at: now
            )
        }
        try DurableFile.write(Data(secret.utf8), to: path)
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

    /// Returns also while it runs, where its token is no longer the one that it was given. One that
    /// crashed answers nobody and holds its socket until its report is written; it is not waited for
    /// without end.
    private func waitForEnd(of record: ChildRecord) async {
        let pause = Duration.seconds(1)
        var looks = 0
        var sinceCrash = Duration.zero
        while record.process.isRunning, !Task.isCancelled {
            await ProcessEnd.wait(
                for: record.process.processID, upTo: pause, clock: services.time.clock)
            looks += 1
            if looks.isMultiple(of: 5), !Task.isCancelled, await hasOtherToken(record) { return }
            if sinceCrash == .zero {
                guard crashes.hasReport(of: record.process.processID) else { continue }
            }
            sinceCrash += pause
            guard sinceCrash > Self.reportLimit else { continue }
            services.logger.error(
                "the gateway crashed and does not end; killing it",
                metadata: [
                    "pid": "\(record.process.processID)", "report": "\(crashes.folder)",
                ])
            record.process.signal(SIGKILL)
            sinceCrash = pause
        }
    }

    private func hasOtherToken(_ record: ChildRecord) async -> Bool {
        do {
            return try await gatewayToken().map(TokenQueries.hash) != record.tokenDigest
        } catch {
            // A database that does not answer now, or the end of the server: no reason to let a
            // gateway go that answers.
            return false
        }
    }

    /// Asks the gateway to finish what it has, and insists after twenty seconds. Runs while the server's
    /// own task is cancelled, so it must not wait on that.
    private func end(_ record: ChildRecord) async {
        let time = services.time
        let children = [record.process, record.earlier].compactMap { $0 }
        await Task.detached {
            for child in children { child.signal(SIGTERM) }
            for _ in 0..<200 where children.contains(where: \.isRunning) {
                try? await time.clock.sleep(for: .milliseconds(100))
            }
            for child in children { child.signal(SIGKILL) }
        }.value
    }
}

/// `child.json` in the gateway's folder: how a later server finds the process again.
private struct ChildRecord: Codable {
    let process: ChildProcess
    let listen: String
    /// How it was started; absent in records of earlier builds.
    var arguments: [String]?
    /// The gateway whose place it takes, until that one has ended.
    var earlier: ChildProcess?
    /// Of the token that it was given; absent without one, and in records of earlier builds.
    var tokenDigest: String?
    /// The file that it was started from: nobody may look into a gateway that runs.
    var program: FileIdentity?

    /// Whether it runs the very file that this process runs; a program that was replaced is another
    /// file, also under the same path.
    var isOfThisProgram: Bool {
        guard let program else { return process.runsThisProgram }
        return program == .ofThisProgram
    }

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
