import AloftDomain

/// `--host NAME`, of the server and of the gateway.
enum HostOption {
    static func faults(_ names: [String]) -> [String] {
        names.filter { KnownHosts.authority(of: $0) == nil }.map {
            "--host \($0): expected a name or an address such as models.example.org"
        }
    }
}
