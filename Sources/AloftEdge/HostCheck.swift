package import AloftDomain
import Foundation
package import NIOCore
import NIOPosix
import Synchronization

/// The names that a running server answers to. Where it listens on every address of the machine, those
/// are looked up again when one is asked that is not known: addresses come and go.
package final class HostCheck: Sendable {
    private struct State {
        var known: KnownHosts
        /// The header that was found known last.
        var lastKnown = ""
        var lookedAt: NIODeadline
    }

    private let listen: [ListenAddress]
    private let names: [String]
    /// What to think of a connection without TLS.
    package let plainConnection: RequestOrigin.Connection
    private let machine: @Sendable () -> [String]
    private let now: @Sendable () -> NIODeadline
    private let state: Mutex<State>

    /// The machine is asked for its addresses at most so often.
    private static let lookupInterval = TimeAmount.seconds(5)

    /// - Parameters:
    ///   - names: given with `--host`.
    ///   - machine: the machine's addresses and name.
    package init(
        listen: [ListenAddress], names: [String],
        machine: @escaping @Sendable () -> [String] = HostCheck.ownNames,
        now: @escaping @Sendable () -> NIODeadline = { .now() }
    ) {
        self.listen = listen
        self.names = names
        plainConnection = listen.contains { $0.port == 80 } ? .plain : .perhapsProxied
        self.machine = machine
        self.now = now
        state = Mutex(
            State(
                known: Self.look(listen, names, machine), lookedAt: now()))
    }

    package func isKnown(_ host: RequestAuthority) -> Bool {
        if host.isLoopback { return true }
        return state.withLock { state in
            if state.known.contains(host) { return true }
            let now = now()
            guard state.known.isWildcard, now - state.lookedAt > Self.lookupInterval else {
                return false
            }
            state = State(known: Self.look(listen, names, machine), lookedAt: now)
            return state.known.contains(host)
        }
    }

    /// Whether a `Host` is the one that was found known last, as nearly all are.
    package func isLastKnown(_ text: String) -> Bool {
        state.withLock { !text.isEmpty && $0.lastKnown.isSame(as: text) }
    }

    /// Notes a `Host` that is known.
    package func remember(_ text: String) { state.withLock { $0.lastKnown = text } }

    private static func look(
        _ listen: [ListenAddress], _ names: [String], _ machine: () -> [String]
    ) -> KnownHosts {
        let named = KnownHosts(listen: listen, names: names)
        guard named.isWildcard else { return named }
        return KnownHosts(listen: listen, names: names, machine: machine())
    }

    /// The addresses of this machine's network devices, and its name.
    package static func ownNames() -> [String] {
        let devices = (try? System.enumerateDevices()) ?? []
        var names = devices.compactMap { $0.address?.ipAddress }
            .map { String($0.prefix { $0 != "%" }) }
        var name = [CChar](repeating: 0, count: 256)
        if gethostname(&name, name.count - 1) == 0 {
            names.append(
                String(
                    decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self))
        }
        return names
    }
}
