import AloftDomain
import AloftInference
import AloftWire
import NIOCore
import NIOPosix
import Synchronization

#if canImport(Glibc)
    import Glibc
#endif

/// One copy on its way to a revision that does not answer its caller.
struct ShadowCopy: Sendable {
    enum Purpose: Sendable {
        /// To be compared with what the request was answered.
        case comparison(AnswerNumbers)
        /// To learn whether that revision answers what another one refused.
        case whetherTaken(@Sendable (Bool) -> Void)
    }

    /// The endpoint whose request it copies.
    let endpoint: String
    let revision: LoadedRevision
    let body: ByteBuffer
    let form: PredictionForm
    /// Where the request's JSON ends, as the caller said.
    var jsonLength: Int?
    let purpose: Purpose
}

/// Traffic mirroring: has shadows answer copies of requests that were answered already, and compares.
///
/// Copies wait in a queue of bounded number and size, and one thread of the lowest priority works on
/// them: what does not fit is let go and counted, so that a shadow, however slow, neither delays a
/// request nor takes memory.
final class ShadowRunner: Sendable {
    struct Key: Hashable {
        let endpoint: String
        let revision: RevisionID
    }

    private struct State {
        var counts: [Key: ShadowCount] = [:]
        var waiting = 0
        var waitingBytes = 0
        var hasLowered = false
    }

    private let state = Mutex(State())
    private let threads = NIOThreadPool(numberOfThreads: 1)
    private let limit: Int
    private let limitBytes: Int

    /// How long a shadow in another process may take for one copy, in seconds.
    private static let remoteSeconds: Int64 = 30

    /// - Parameters:
    ///   - limit: copies that may wait.
    ///   - limitBytes: what they may take together.
    init(limit: Int = 256, limitBytes: Int = 32 << 20) {
        self.limit = limit
        self.limitBytes = limitBytes
        threads.start()
    }

    func submit(_ copy: ShadowCopy) {
        let key = Key(endpoint: copy.endpoint, revision: copy.revision.served.id)
        let size = copy.body.readableBytes
        // A shadow in use is not what is evicted first.
        copy.revision.lastUsed.store(NIODeadline.now().uptimeNanoseconds, ordering: .relaxed)
        let isTaken = state.withLock { state in
            guard state.waiting < limit, state.waitingBytes + size <= limitBytes else {
                if case .comparison = copy.purpose {
                    state.counts[key, default: ShadowCount()].dropped += 1
                }
                return false
            }
            state.waiting += 1
            state.waitingBytes += size
            return true
        }
        guard isTaken else { return }
        copy.revision.outstanding.add(1, ordering: .relaxed)
        threads.submit { work in
            guard work == .active else { return self.finish(copy, nil) }
            self.run(copy)
        }
    }

    private func run(_ copy: ShadowCopy) {
        lowerPriority()
        let request = InferenceRequest()
        let reply = TensorSet()
        do throws(InferenceError) {
            try copy.revision.read(
                copy.body, form: copy.form, jsonLength: copy.jsonLength, into: request)
            if let fault = copy.revision.rules?.fault(in: request.tensors) { throw fault }
            switch copy.revision.execution {
            case .inline, .batched:
                try copy.revision.runner.run(request, into: reply)
                finish(copy, reply)
            case .remote(let model):
                model.submit(
                    QueuedRequest(
                        request: request, reply: reply,
                        deadline: .now() + .seconds(Self.remoteSeconds),
                        deadlineMilliseconds: Int(clamping: Self.remoteSeconds) * 1000
                    ) { result in
                        switch result {
                        case .success: self.finish(copy, reply)
                        case .failure: self.finish(copy, nil)
                        }
                    })
            }
        } catch {
            finish(copy, nil)
        }
    }

    /// - Parameter reply: `nil` where it failed.
    private func finish(_ copy: ShadowCopy, _ reply: TensorSet?) {
        let key = Key(endpoint: copy.endpoint, revision: copy.revision.served.id)
        var difference: ShadowDifference??
        switch copy.purpose {
        case .comparison(let answer):
            difference = .some(reply.map { answer.difference(to: AnswerNumbers($0)) })
        case .whetherTaken(let tell): tell(reply != nil)
        }
        let added = difference
        state.withLock { state in
            state.waiting -= 1
            state.waitingBytes -= copy.body.readableBytes
            if let added { state.counts[key, default: ShadowCount()].add(added) }
        }
        copy.revision.outstanding.subtract(1, ordering: .relaxed)
    }

    /// Once, on the one thread: whatever else runs on the machine goes first.
    private func lowerPriority() {
        let isFirst = state.withLock { state in
            defer { state.hasLowered = true }
            return !state.hasLowered
        }
        #if canImport(Glibc)
            // On Linux this is the calling thread's alone.
            if isFirst { _ = setpriority(__priority_which_t(PRIO_PROCESS.rawValue), 0, 19) }
        #endif
    }

    /// By endpoint and revision.
    func reports() -> [ShadowReport] {
        state.withLock(\.counts).map { key, counts in
            ShadowReport(endpoint: key.endpoint, revision: key.revision, counts: counts)
        }.sorted { ($0.endpoint, $0.revision) < ($1.endpoint, $1.revision) }
    }

    func stop() async { try? await threads.shutdownGracefully() }
}

extension ShadowCount {
    fileprivate mutating func add(_ difference: ShadowDifference?) {
        guard let difference else {
            failed += 1
            return
        }
        if let reason = difference.incomparable {
            incomparable += 1
            notComparable = reason
            return
        }
        compared += 1
        if difference.isOther { differing += 1 }
        numbers += difference.numbers
        sumOfDifferences += difference.sum
        largestDifference = max(largestDifference, difference.largest)
        classes += difference.classes
        otherClasses += difference.otherClasses
    }
}
