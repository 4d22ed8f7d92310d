import Foundation
import Synchronization
import UnixSignals

/// SIGHUP ends the server but leaves its gateway answering, so that the next server, of another build
/// perhaps, finds it and takes over from it: an upgrade in which no prediction fails.
final class RestartSignal: Sendable {
    private let wasReceived = Atomic<Bool>(false)

    /// Whether the server ends to be started again.
    var isRestart: Bool { wasReceived.load(ordering: .acquiring) }

    /// Waits for the signal and turns it into an orderly end. Returns when the task is cancelled.
    func watch() async {
        for await _ in await UnixSignalsSequence(trapping: .sighup) {
            wasReceived.store(true, ordering: .releasing)
            kill(getpid(), SIGTERM)
        }
    }
}
