import AloftDomain
import AloftGateway
import AloftInference
import NIOCore
import NIOHTTP2

/// One call of `ModelStreamInfer`: any number of messages, each answered, in the order in which they came.
/// Several are answered at once. Lives on its connection's event loop.
///
/// Backpressure by HTTP/2's flow control: a caller that asks faster than the model answers, or takes no
/// answers, is not asked for more. Its messages wait unread, and its window is not renewed.
final class InferStream {
    private enum End {
        case none
        /// When all that was taken is answered; `nil` for a good end.
        case wanted(Status?)
        /// The caller is being told, since then.
        case told(NIODeadline)
    }

    private enum Limit {
        /// Messages that are being answered, and their bytes.
        static let underWay = 32
        static let underWayBytes = 4 << 20
        /// Bytes of answers that the caller has not taken.
        static let unsentBytes = 1 << 20
        /// Messages that are taken in one turn of the event loop.
        static let turn = 64
        /// A stream on which nothing is asked ends after so long.
        static let idle = TimeAmount.minutes(30)
    }

    let id: HTTP2StreamID
    private let connection: GRPCConnection
    private let head: CallHead
    private let deadline: NIODeadline
    private var messages: MessageSequence
    /// What of `messages` is in the connection's counts.
    private var counted = (buffered: 0, waiting: 0)

    /// Answers in their order, the first that is missing at the front.
    private var answers = CircularBuffer<ByteBuffer?>()
    /// The number of the message whose answer is at the front.
    private var firstNumber = 0
    private var underWayBytes = 0
    private var unsentBytes = 0

    private var isOpen = false
    private var hasCallerEnded = false
    private var isDraining = false
    private var isTaking = false
    private var end = End.none

    /// What the caller may still send.
    private var window = GRPCConnection.Window.stream
    private var activeAt: NIODeadline
    /// Since when a message is coming.
    private var partialSince: NIODeadline?

    init(_ id: HTTP2StreamID, _ head: CallHead, _ connection: GRPCConnection) {
        self.id = id
        self.head = head
        self.connection = connection
        messages = MessageSequence(connection.framing(head))
        activeAt = head.facts.receivedAt
        deadline =
            head.facts.timeoutMilliseconds.map {
                head.facts.receivedAt + .milliseconds(Int64(clamping: $0))
            }
            ?? .distantFuture
    }

    private var eventLoop: any EventLoop { connection.loop.eventLoop }

    // MARK: Begin

    /// Lets the caller in, or not. What it sends meanwhile waits.
    func begin() {
        let models = connection.loop.models
        guard models.asksForTokens else { return open() }
        let (token, place) = (head.facts.token, head.facts.place)
        let bound = NIOLoopBound(self, eventLoop: eventLoop)
        let eventLoop = eventLoop
        Task {
            do throws(CallRefusal) {
                try await models.authorize(token, from: place)
                eventLoop.execute { bound.value.open() }
            } catch {
                eventLoop.execute { bound.value.abort(Status(error)) }
            }
        }
    }

    /// Says that the stream is there: a caller may wait for that before it asks.
    private func open() {
        guard case .none = end else { return }
        isOpen = true
        connection.writeHead(id)
        connection.context?.flush()
        take()
    }

    // MARK: Messages

    /// More of the messages, or their end.
    func receive(_ bytes: ByteBuffer?, isLast: Bool) {
        if isLast { hasCallerEnded = true }
        guard case .none = end, !isDraining else { return }
        if let bytes { messages.append(bytes) }
        take()
        if connection.bufferedBytes > connection.bufferLimit || connection.isOverBudget,
            !isPaused
        {
            finish(connection.tooMuchBuffered)
        }
    }

    /// What waits for room is held back by the connection's window, the rest by its limit.
    private func recount() {
        let count = messages.byteCount
        let now = isPaused ? (0, count) : (count, 0)
        connection.bufferedBytes += now.0 - counted.buffered
        connection.waitingBytes += now.1 - counted.waiting
        counted = now
    }

    private var isPaused: Bool {
        answers.count >= Limit.underWay || underWayBytes >= Limit.underWayBytes
            || unsentBytes >= Limit.unsentBytes
    }

    /// Begins to answer what has come, as far as there is room.
    private func take() {
        guard isOpen, !isTaking, case .none = end else { return recount() }
        isTaking = true
        let now = NIODeadline.now()
        var taken = 0
        var isEmpty = false
        do throws(Status) {
            while !isPaused, taken < Limit.turn, case .none = end {
                guard let message = try messages.next() else {
                    isEmpty = true
                    break
                }
                taken += 1
                ask(message, now)
            }
        } catch {
            finish(error)
        }
        isTaking = false
        recount()
        if taken > 0 {
            activeAt = now
            partialSince = nil
            connection.context?.flush()
        }
        if isEmpty { hasTakenAll(now) } else if !isPaused { takeLater() }
        renewWindow()
    }

    /// Goes on when others had their turn.
    private func takeLater() {
        guard case .none = end else { return }
        let bound = NIOLoopBound(self, eventLoop: eventLoop)
        eventLoop.execute { bound.value.take() }
    }

    private func hasTakenAll(_ now: NIODeadline) {
        partialSince = messages.byteCount == 0 ? nil : partialSince ?? now
        if isDraining {
            finish(Self.draining)
        } else if hasCallerEnded {
            finish(messages.cutOff)
        }
    }

    private func ask(_ message: ByteBuffer, _ now: NIODeadline) {
        let number = firstNumber + answers.count
        answers.append(nil)
        underWayBytes += message.readableBytes
        var facts = head.facts
        facts.receivedAt = now
        if facts.timeoutMilliseconds != nil {
            facts.timeoutMilliseconds = Int(
                clamping: max(1, (deadline - now).nanoseconds / 1_000_000))
        }
        connection.loop.access.infer(message, facts) { [self] result in
            answered(number, message, result)
        }
    }

    private func answered(
        _ number: Int, _ message: ByteBuffer, _ result: Result<CallAnswer, CallRefusal>
    ) {
        underWayBytes -= message.readableBytes
        let place = number - firstNumber
        // Nobody waits for it where the stream was given up.
        guard place >= 0, place < answers.count else { return }
        switch result {
        case .success(let answer): set(place, StreamAnswer.answered(answer))
        case .failure(let refusal):
            let id = message.withUnsafeReadableBytes { InferMessageReader.requestID($0) }
            set(place, StreamAnswer.refused(refusal, id: id))
            // The token was good when the stream began, and is no more.
            if refusal.kind == .unauthenticated { finish(Status(refusal)) }
        }
        sendInOrder()
        guard !isTaking else { return }
        connection.context?.flush()
        take()
    }

    private func set(_ place: Int, _ answer: ByteBuffer) {
        answers[answers.index(answers.startIndex, offsetBy: place)] = answer
    }

    // MARK: Answers

    private func sendInOrder() {
        while let front = answers.first, let bytes = front {
            // traps: not empty, as the loop has just asked
            answers.removeFirst()
            firstNumber += 1
            send(bytes)
        }
        endIfDone()
    }

    private func send(_ bytes: ByteBuffer) {
        let count = bytes.readableBytes
        unsentBytes += count
        let sent = eventLoop.makePromise(of: Void.self)
        sent.futureResult.assumeIsolated().whenComplete { [self] result in
            let wasPaused = isPaused
            unsentBytes -= count
            activeAt = .now()
            if case .success = result { connection.isTaking() }
            if wasPaused { take() }
        }
        connection.write(id, .data(.init(data: .byteBuffer(bytes))), promise: sent)
    }

    /// Lets the caller send on when half of what it may has come and is taken.
    func renewWindow(left: Int) {
        window = left
        renewWindow()
    }

    private func renewWindow() {
        let full = GRPCConnection.Window.stream
        guard case .none = end, isOpen, !isPaused, !hasCallerEnded, window <= full / 2 else {
            return
        }
        connection.write(id, .windowUpdate(windowSizeIncrement: full - window))
        window = full
        connection.context?.flush()
    }

    // MARK: End

    private static let draining = Status(
        .unavailable, "This gateway is ending. What it has not answered is to be asked anew.")

    /// Takes no message that has not come whole, and ends when the others are answered.
    func drain() {
        isDraining = true
        if isOpen { take() } else { finish(Self.draining) }
    }

    /// Ends when all that was taken is answered; `nil` for a good end.
    private func finish(_ status: Status?) {
        guard case .none = end else { return }
        end = .wanted(status)
        messages.removeAll()
        recount()
        endIfDone()
    }

    /// Ends at once: what is being answered is not waited for.
    private func abort(_ status: Status) {
        if case .told = end { return }
        firstNumber += answers.count
        answers.removeAll()
        end = .none
        finish(status)
    }

    private func endIfDone() {
        guard case .wanted(let status) = end, answers.isEmpty else { return }
        end = .told(.now())
        let sent = eventLoop.makePromise(of: Void.self)
        sent.futureResult.assumeIsolated().whenComplete { [self] _ in
            guard connection.streams[id] === self else { return }
            // Only now: it would have the HTTP/2 library throw away what is not sent.
            if !hasCallerEnded { connection.reset(id, .noError) }
            connection.ended(id)
        }
        connection.write(id, connection.trailers(status, hasHead: isOpen), promise: sent)
        connection.context?.flush()
    }

    /// The connection or the caller is gone, or all is said.
    func isGone() {
        end = .told(.now())
        firstNumber += answers.count
        answers.removeAll()
        messages.removeAll()
        recount()
    }

    /// Ends what is too slow.
    func sweep(now: NIODeadline, limit: TimeAmount) {
        let seconds = limit.nanoseconds / 1_000_000_000
        // What comes slowly because it is not asked for is not the caller's fault.
        if isPaused { partialSince = nil }
        if case .told(let since) = end {
            guard now - since > limit else { return }
            // It takes nothing.
            connection.reset(id, .cancel)
            connection.ended(id)
        } else if now > deadline {
            abort(Status(.deadlineExceeded, "The stream's deadline has passed."))
        } else if let partialSince, now - partialSince > limit {
            finish(
                Status(
                    .deadlineExceeded, "A message did not come whole within \(seconds) seconds."))
        } else if now - activeAt > Limit.idle {
            abort(Status(.unavailable, "Nothing was asked on this stream for 30 minutes."))
        }
    }
}
