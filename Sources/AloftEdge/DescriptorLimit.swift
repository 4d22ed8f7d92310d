import Foundation

/// How many descriptors the process may have, and from where on connections must go so that others fit.
package struct DescriptorLimit: Sendable, Equatable {
    package let count: Int

    package init(count: Int) { self.count = count }

    /// The kernel gives out the lowest free number, so a descriptor's own number says how many are in use.
    /// From here on each new connection costs the oldest idle one its place.
    package var softLimit: Int { count - count / 5 }

    /// Here a new connection is not taken at all: files and models need what is left.
    package var full: Int { count - max(4, count / 20) }

    /// More than this no process of ours can use; programs that close every descriptor they might have
    /// would take seconds at a start.
    private static let most = 1 << 20

    /// Raises the process's own limit to the most that it may have (`RLIMIT_NOFILE`, soft to hard).
    @discardableResult
    package static func raised() -> DescriptorLimit {
        var limit = rlimit()
        #if canImport(Glibc)
            let kind = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
        #else
            let kind = RLIMIT_NOFILE
        #endif
        guard getrlimit(kind, &limit) == 0 else { return DescriptorLimit(count: 1024) }
        let wanted = min(limit.rlim_max, rlim_t(Self.most))
        if limit.rlim_cur < wanted {
            let before = limit.rlim_cur
            limit.rlim_cur = wanted
            if setrlimit(kind, &limit) != 0 { limit.rlim_cur = before }
        }
        return DescriptorLimit(count: Int(clamping: min(limit.rlim_cur, rlim_t(Int32.max))))
    }
}
