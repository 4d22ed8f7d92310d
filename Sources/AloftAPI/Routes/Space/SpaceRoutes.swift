package import AloftControl
import AloftStore
import AloftWire
import Foundation

/// What takes space, and freeing it.
package struct SpaceRoutes: Sendable {
    private let keeper: SpaceKeeper

    package init(keeper: SpaceKeeper) { self.keeper = keeper }

    package func add(to routes: inout APIRoutes) {
        routes.on(ShowSpace.self) { call in
            let century: Int64 = 100 * 366 * 24 * 3600
            let age = try call.integer("older_than", in: 0...century, default: 30 * 24 * 3600)
            return try await keeper.show(olderThan: TimeInterval(age))
        }
        routes.on(FreeSpace.self) { call in
            guard let cutoff = Date(stamp: call.body.cutoff) else {
                throw SpaceError.invalidCutoff(call.body.cutoff)
            }
            let before = try await keeper.databaseBytes()
            let freed = try await keeper.free(cutoff: cutoff)
            return FreeSpace.Reply(freed: freed, databaseBytesBefore: before)
        }
    }
}
