import AloftDomain
import AloftInference
import AloftWire
import NIOCore
import NIOPosix
import Synchronization

#if canImport(Glibc)
    import Glibc
#endif

/// One copy on its way to a shadow.
struct ShadowCopy: Sendable {
    /// The endpoint whose request it copies.
    let endpoint: String
    let revision: LoadedRevision
    let body: ByteBuffer
    let form: PredictionForm
    /// What the request was answered.
    let answer: AnswerNumbers
}

/// Has shadows answer copies of requests that were answered already, and compares.
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
        // A shadow in use is not what is sent to sleep first.
        copy.revision.lastUsed.store(NIODeadline.now().uptimeNanoseconds, ordering: .relaxed)
        let isTaken = state.withLock { state in
            guard state.waiting < limit, state.waitingBytes + size <= limitBytes else {
                state.counts[key, default: ShadowCount()].dropped += 1
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
            try Self.read(copy, into: request)
            switch copy.revision.execution {
            case .inline, .queued:
                try copy.revision.runner.run(request, into: reply)
                finish(copy, copy.answer.difference(to: AnswerNumbers(reply)))
            case .remote(let model):
                model.submit(
                    QueuedCall(
                        request: request, reply: reply,
                        deadline: .now() + .seconds(Self.remoteSeconds),
                        deadlineMilliseconds: Int(clamping: Self.remoteSeconds) * 1000
                    ) { result in
                        switch result {
                        case .success:
                            self.finish(copy, copy.answer.difference(to: AnswerNumbers(reply)))
                        case .failure: self.finish(copy, nil)
                        }
                    })
            }
        } catch {
            finish(copy, nil)
        }
    }

    private static func read(
        _ copy: ShadowCopy, into request: InferenceRequest
    ) throws(InferenceError) {
        request.tensors.missingText = copy.revision.missingText
        let fault = copy.body.withUnsafeReadableBytes { bytes -> InferenceError? in
            do throws(InferenceError) {
                let signature = copy.revision.signature
                switch copy.form {
                case .grpc:
                    try InferMessageReader.read(bytes, signature: signature, into: request)
                case .scoring:
                    _ = try ScoringRequest(
                        bytes, of: copy.body, contentType: scoringType(bytes),
                        revision: copy.revision, into: request)
                case .json:
                    try InferRequestReader.read(bytes, signature: signature, into: request)
                case .binary:
                    // The JSON ends where its outermost object does.
                    var cursor = JSONCursor(bytes)
                    try cursor.skipValue()
                    try InferRequestReader.read(
                        bytes, jsonLength: cursor.position, signature: signature, into: request)
                }
                return nil
            } catch {
                return error
            }
        }
        if let fault { throw fault }
    }

    /// What a body of MLflow scoring is, told by how it begins.
    private static func scoringType(_ bytes: UnsafeRawBufferPointer) -> String {
        let blanks = Array(" \t\r\n\u{FEFF}".utf8)
        let start = bytes.prefix(64).drop { blanks.contains($0) }
        if start.first == UInt8(ascii: "{") { return "application/json" }
        return start.starts(with: "PAR1".utf8) ? "application/vnd.apache.parquet" : "text/csv"
    }

    /// - Parameter difference: `nil` where the shadow failed or answered in another form.
    private func finish(_ copy: ShadowCopy, _ difference: ShadowDifference?) {
        let key = Key(endpoint: copy.endpoint, revision: copy.revision.served.id)
        state.withLock { state in
            state.waiting -= 1
            state.waitingBytes -= copy.body.readableBytes
            state.counts[key, default: ShadowCount()].add(difference)
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
        compared += 1
        if difference.isOther { differing += 1 }
        numbers += difference.numbers
        sumOfDifferences += difference.sum
        largestDifference = max(largestDifference, difference.largest)
        classes += difference.classes
        otherClasses += difference.otherClasses
    }
}
