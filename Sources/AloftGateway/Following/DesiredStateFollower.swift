import AloftClient
import AloftDomain
import AloftWire
import Foundation
import Logging

/// Follows the server's desired state by long poll and keeps the last one on disk, so that the gateway
/// goes on, and starts, while the server is down.
struct DesiredStateFollower: Sendable {
    let client: ServerClient
    let path: String
    let time: TimeSource
    let logger: Logger
    let apply: @Sendable (DesiredState) async -> Void
    /// Called when tokens may have ended.
    var tokensEnded: @Sendable () async -> Void = {}

    /// The state of the last run, if there is one that can be read.
    func stored() -> DesiredState? {
        guard let data = try? Data(contentsOf: URL(fileURLWithPath: path)) else { return nil }
        do {
            return try JSONDecoder().decode(DesiredState.self, from: data)
        } catch {
            logger.error(
                "the stored desired state is unreadable; waiting for the server",
                metadata: ["path": "\(path)", "error": "\(error)"])
            return nil
        }
    }

    func run(from first: DesiredState?) async {
        var known = first
        var after = -1
        // Tokens may have ended while this gateway did not run: it looks at the first answer.
        var tokenEnds: Int?
        var pause = Duration.milliseconds(100)
        var wasReached = true
        while !Task.isCancelled {
            do {
                let state = try await client.call(
                    GetDesiredState.self,
                    query: Self.query(after: after, tokenEnds: tokenEnds),
                    timeout: .seconds(45))
                if !wasReached { logger.info("the server answers again") }
                wasReached = true
                pause = .milliseconds(100)
                after = state.revision
                if state.tokenEnds != tokenEnds {
                    tokenEnds = state.tokenEnds
                    await tokensEnded()
                }
                var like = state
                like.tokenEnds = known?.tokenEnds
                guard like != known else { continue }
                // Applied first: a full disk must not hold up a rollback.
                await apply(state)
                known = state
                store(state)
            } catch {
                if Task.isCancelled { return }
                if wasReached {
                    logger.warning(
                        "the server does not answer; serving on from the last known state",
                        metadata: ["error": "\((error as? ClientError)?.message ?? "\(error)")"])
                }
                wasReached = false
                // A server that comes back may have another history: ask for what it has.
                after = -1
                tokenEnds = nil
                try? await time.clock.sleep(for: pause)
                pause = min(pause * 2, .seconds(1))
            }
        }
    }

    // text: names of our own query
    private static func query(after: Int, tokenEnds: Int?) -> [String: String] {
        var query = ["after": String(after), "wait": after < 0 ? "0" : "30"]
        query["tokens"] = tokenEnds.map(String.init)
        return query
    }

    private func store(_ state: DesiredState) {
        do {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.sortedKeys, .prettyPrinted]
            try DiskSync.write(try encoder.encode(state), to: path)
        } catch {
            logger.error(
                "the desired state cannot be kept on disk", metadata: ["error": "\(error)"])
        }
    }
}
