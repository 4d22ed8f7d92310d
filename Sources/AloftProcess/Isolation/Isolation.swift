import CProcess

/// What holds a program back from what is not its own.
package enum IsolationKind: String, Codable, Sendable, Equatable, CaseIterable {
    /// User, mount, pid and ipc namespaces: what is hidden is not there, and the processes outside
    /// are not either.
    case namespaces
    /// Landlock's rules: what is hidden can be named but neither read nor written.
    case landlock
    /// Nothing: it may do all that its user may.
    case none

    var number: Int32 {
        switch self {
        case .namespaces: Int32(ALOFT_ISOLATION_NAMESPACES.rawValue)
        case .landlock: Int32(ALOFT_ISOLATION_LANDLOCK.rawValue)
        case .none: Int32(ALOFT_ISOLATION_NONE.rawValue)
        }
    }
}

/// What a path of this machine is for an isolated program; see `aloft_layer_kind`.
package enum IsolationLayer: Int32, Sendable, Equatable {
    case hide = 1
    case read
    case write
    case devices
    case device
}

/// How one program is isolated: ready to be used by `Spawn`.
package struct Isolation: Sendable, Equatable {
    package let kind: IsolationKind
    let layers: [(path: String, kind: IsolationLayer)]
    /// Why no program can be isolated like this, as a sentence; none is started then.
    let refusal: String?

    package static let none = Isolation(kind: .none, layers: [])

    init(
        kind: IsolationKind, layers: [(path: String, kind: IsolationLayer)], refusal: String? = nil
    ) {
        self.kind = kind
        self.layers = layers
        self.refusal = refusal
    }

    package static func == (one: Isolation, other: Isolation) -> Bool {
        one.kind == other.kind && one.layers.map(\.path) == other.layers.map(\.path)
            && one.layers.map(\.kind) == other.layers.map(\.kind) && one.refusal == other.refusal
    }
}
