import AloftControl
import Synchronization

/// Ends a controller before its n-th effect, once, as a kill would; counts the effects before and after.
final class CrashPoint: Sendable {
    private let state: Mutex<(count: Int, crashAt: Int?)>

    /// - Parameter crashAt: so many effects happen before; never where it is `nil`.
    init(_ crashAt: Int?) { state = Mutex((0, crashAt)) }

    var count: Int { state.withLock { $0.count } }

    var hook: EffectHook {
        EffectHook { [self] _ throws(EffectHook.Killed) in
            let isHere = state.withLock { state in
                if state.count == state.crashAt {
                    state.crashAt = nil
                    return true
                }
                state.count += 1
                return false
            }
            if isHere { throw EffectHook.Killed() }
        }
    }
}

/// Ends every effect after so many: nobody who was killed goes on by itself.
final class DeadLine: Sendable {
    private let left: Mutex<Int>

    init(after effects: Int) { left = Mutex(effects) }

    var hook: EffectHook {
        EffectHook { [self] _ throws(EffectHook.Killed) in
            let mayGoOn = left.withLock { left in
                left -= 1
                return left >= 0
            }
            if !mayGoOn { throw EffectHook.Killed() }
        }
    }
}
