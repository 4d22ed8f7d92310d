/// The names under which a server is asked. Any other in a request's `Host` is refused: a page whose name
/// its owner points at this machine (DNS rebinding) is for a browser of one origin with what it asks.
///
/// The port is not compared: behind a proxy or a port mapping it is another than ours.
package struct KnownHosts: Sendable, Equatable {
    private var names: Set<String> = []
    /// Whether it listens on every address of the machine, so that all of them are its names.
    package let isWildcard: Bool

    /// - Parameters:
    ///   - listen: where it listens.
    ///   - names: given with `--host`.
    ///   - machine: the machine's own addresses and name; counts where `listen` has a wildcard.
    package init(listen: [ListenAddress], names: [String], machine: [String] = []) {
        isWildcard = listen.contains { Self.wildcards.contains($0.host) }
        let own = isWildcard ? machine : []
        for name in listen.map(\.host) + names + own {
            if let known = Self.authority(of: name) { self.names.insert(known.name) }
        }
    }

    package func contains(_ host: RequestAuthority) -> Bool {
        host.isLoopback || names.contains(host.name)
    }

    /// What `--host` takes: a name or an address; a port behind it says nothing.
    package static func authority(of name: String) -> RequestAuthority? {
        RequestAuthority(name) ?? RequestAuthority("[\(name)]")
    }

    private static let wildcards: Set<String> = ["0.0.0.0", "::", "0:0:0:0:0:0:0:0", "0"]
}
