import Foundation

/// What all programs that users run may see of this machine. Made once by a server or a gateway and
/// handed on to the keepers of its jobs.
///
/// The machine stays readable but for what is hidden. Writable are the user's home, the folders for
/// temporary files and whatever is none of the system's; its own folders come with each program.
package struct IsolationPolicy: Codable, Sendable, Equatable {
    package var kind: IsolationKind
    /// Whether a program is refused rather than started with `none`.
    package var isRequired: Bool
    /// Data folders, and whatever else no program may see. What is below is shown only where a
    /// program's own `reads` and `writes` name it.
    package var hidden: [String]
    /// Read-only although it lies where programs may write: this program, its packages, interpreters.
    package var fixed: [String]
    /// The user's home, and `TMPDIR`.
    package var home: String?
    package var temporary: String?
    /// uv's cache: only for builds, so that no job can change what others install.
    package var packageCache: String?

    package init(
        kind: IsolationKind, isRequired: Bool = false, hidden: [String], fixed: [String] = [],
        home: String? = nil, temporary: String? = nil, packageCache: String? = nil
    ) {
        self.kind = kind
        self.isRequired = isRequired
        self.hidden = hidden
        self.fixed = fixed
        self.home = home
        self.temporary = temporary
        self.packageCache = packageCache
    }

    /// Without any isolation, as before there was one.
    package static let off = IsolationPolicy(kind: .none, hidden: [])

    /// Parts of the system that nobody's job may change, whoever runs the server.
    private static let system = [
        "/bin", "/boot", "/etc", "/lib", "/lib32", "/lib64", "/libx32", "/opt", "/sbin", "/sys",
        "/usr", "/var",
    ]
    /// Sockets of the machine's services obey whoever has the right user: what names are resolved
    /// with is all that programs need of them.
    private static let services = "/run"
    private static let shownServices = [
        "/run/systemd/resolve", "/run/resolvconf", "/run/NetworkManager/resolv.conf", "/run/nscd",
        "/run/nvidia-persistenced", "/run/nvidia-fabricmanager", "/run/udev/data",
    ]
    /// Of a home: what the next login runs or trusts.
    private static let startFiles = [
        ".ssh", ".gnupg", ".bashrc", ".bash_profile", ".bash_login", ".profile", ".zshrc",
        ".zprofile", ".zshenv", ".config/systemd", ".config/autostart", ".config/fish",
    ]

    /// What one program gets.
    ///
    /// - Parameters:
    ///   - reads: what is its own, for reading; such as its environment.
    ///   - writes: what is its own; such as its working folder.
    ///   - isBuild: whether it installs packages, and so may use the package cache.
    package func isolation(
        reads: [String], writes: [String], isBuild: Bool = false
    ) -> Isolation {
        guard kind != .none else { return .none }
        let layers = layers(reads: reads, writes: writes, isBuild: isBuild)
        switch kind {
        case .namespaces: return Isolation(kind: kind, layers: layers.ordered)
        case .landlock: return LandlockRules(layers).isolation
        case .none: return .none
        }
    }

    private func layers(reads: [String], writes: [String], isBuild: Bool) -> LayerMap {
        let secrets = hidden.map(RealPath.of)
        var map = LayerMap()
        for path in Self.system { map.set(path, .read) }
        map.set(Self.services, .hide)
        for path in Self.shownServices { map.set(path, .read) }
        map.set("/proc", kind == .landlock ? .read : nil)
        let open = ["/tmp", "/var/tmp", temporary, home].compactMap { $0 }.map(RealPath.of)
        // A home in the data folder stays hidden.
        for path in open where !secrets.contains(where: { RealPath.holds($0, path) }) {
            map.set(path, .write)
        }
        if let home { for name in Self.startFiles { map.set("\(home)/\(name)", .read) } }
        for path in fixed { map.set(path, .read) }
        if let packageCache { map.set(packageCache, isBuild ? .write : .hide) }
        map.set("/dev", .devices)
        for path in Devices.shown { map.set(path, .device) }
        if kind == .landlock {
            for path in ["/dev/shm", "/dev/pts"] { map.set(path, .write) }
        }
        for path in secrets + MountAliases.ofThisProcess().aliases(of: secrets) {
            map.set(path, .hide)
        }
        for path in reads { map.set(path, .read) }
        for path in writes { map.set(path, .write) }
        return map
    }

    /// The home that programs are told of: their own where that of the user is hidden.
    package func isHidden(_ path: String) -> Bool {
        let path = RealPath.of(path)
        return kind != .none && hidden.contains { RealPath.holds(RealPath.of($0), path) }
    }
}

/// One kind for each path; what is set later counts.
struct LayerMap {
    private(set) var kinds: [String: IsolationLayer] = [:]

    /// Nothing where the path is the root, which has no kind, or is not there.
    mutating func set(_ path: String, _ kind: IsolationLayer?) {
        guard let kind, path.hasPrefix("/") else { return }
        let real = RealPath.of(path)
        guard real != "/", access(real, F_OK) == 0 else { return }
        kinds[real] = kind
    }

    /// Outer folders before what is in them.
    var ordered: [(path: String, kind: IsolationLayer)] {
        kinds.map { (path: $0.key, kind: $0.value) }.sorted { one, other in
            (one.path.utf8.count, one.path) < (other.path.utf8.count, other.path)
        }
    }
}

enum RealPath {
    /// Without links; as it is where it does not exist.
    static func of(_ path: String) -> String {
        guard let resolved = realpath(path, nil) else { return path }
        defer { free(resolved) }
        return String(cString: resolved)
    }

    /// Whether `path` is `folder` or lies in it.
    static func holds(_ folder: String, _ path: String) -> Bool {
        folder == "/" || path == folder || path.utf8.starts(with: (folder + "/").utf8)
    }
}

enum Devices {
    private static let always = ["null", "zero", "full", "random", "urandom", "tty"]
    /// Graphics cards and what connects them.
    private static let prefixes = ["nvidia", "kfd", "dri", "infiniband", "dxg"]

    /// Those of this machine that programs may use.
    static var shown: [String] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: "/dev")) ?? []
        return names.filter { name in
            always.contains(name) || prefixes.contains { name.hasPrefix($0) }
        }.map { "/dev/\($0)" }
    }
}
