import Foundation
import Testing

@testable import AloftGateway

#if canImport(Glibc)
    import Glibc

    @Suite struct LoopSchedulingTests {
        private static let other: Int32 = 0
        private static let batch: Int32 = 3
        private static let idle: Int32 = 5

        /// What a thread of its own finds, since policies are a thread's.
        private func onThread<Value: Sendable>(
            _ body: @escaping @Sendable () -> Value
        ) async -> Value {
            await withCheckedContinuation { continuation in
                Thread { continuation.resume(returning: body()) }.start()
            }
        }

        @Test func `a loop yields while many are shed, and no longer`() async {
            let policies = await onThread {
                var scheduling = LoopScheduling()
                var found: [Int32] = []
                for refusals in [10, 1000, 1000, 0] {
                    for _ in 0..<refusals { _ = scheduling.refused() }
                    _ = scheduling.periodEnded()
                    found.append(sched_getscheduler(0))
                }
                return found
            }
            #expect(policies == [Self.other, Self.batch, Self.batch, Self.other])
        }

        @Test func `a period begins with a refusal and goes on while the loop yields`() async {
            let asked = await onThread {
                var scheduling = LoopScheduling()
                var asked = [scheduling.refused(), scheduling.refused()]
                asked.append(scheduling.periodEnded())
                asked.append(scheduling.refused())
                for _ in 0..<1000 { _ = scheduling.refused() }
                asked.append(scheduling.periodEnded())
                asked.append(scheduling.refused())
                asked.append(scheduling.periodEnded())
                return asked
            }
            #expect(asked == [true, false, false, true, true, false, false])
        }

        @Test func `a policy that somebody else set stays`() async {
            let policy = await onThread {
                var parameters = sched_param()
                sched_setscheduler(0, Self.idle, &parameters)
                var scheduling = LoopScheduling()
                for _ in 0..<1000 { _ = scheduling.refused() }
                _ = scheduling.periodEnded()
                return (sched_getscheduler(0), scheduling.isYielding)
            }
            #expect(policy == (Self.idle, false))
        }
    }
#endif
