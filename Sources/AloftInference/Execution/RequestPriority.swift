/// How much a request matters when not all can be answered.
package enum RequestPriority: Int, Sendable, CaseIterable, Comparable {
    case low, normal, high

    package static func < (left: RequestPriority, right: RequestPriority) -> Bool {
        left.rawValue < right.rawValue
    }

    package init?(name: String) {
        switch name.lowercased() {
        case "low": self = .low
        case "normal": self = .normal
        case "high": self = .high
        default: return nil
        }
    }

    package var name: String {
        switch self {
        case .low: "low"
        case .normal: "normal"
        case .high: "high"
        }
    }
}

/// One number for each priority.
package struct PriorityCounts: Sendable, Equatable {
    private var low = 0
    private var normal = 0
    private var high = 0

    package init() {}

    package subscript(priority: RequestPriority) -> Int {
        get {
            switch priority {
            case .low: low
            case .normal: normal
            case .high: high
            }
        }
        set {
            switch priority {
            case .low: low = newValue
            case .normal: normal = newValue
            case .high: high = newValue
            }
        }
    }

    package var total: Int { low + normal + high }

    /// The lowest priority that is there, if it is lower than this one.
    func lowest(below priority: RequestPriority) -> RequestPriority? {
        RequestPriority.allCases.first { $0 < priority && self[$0] > 0 }
    }
}
