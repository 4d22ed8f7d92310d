import NIOCore

/// Runs tasks on an event loop. Where the gateway has one loop, everything of a call happens on it:
/// HTTP/2, the handler and the model, without a change of threads.
final class LoopExecutor: TaskExecutor {
    private let eventLoop: any EventLoop

    init(eventLoop: any EventLoop) { self.eventLoop = eventLoop }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        eventLoop.execute { [self] in job.runSynchronously(on: asUnownedTaskExecutor()) }
    }
}
