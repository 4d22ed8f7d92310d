import AloftDomain
import AloftInference
import AloftPredictionLog
import NIOCore

/// One event loop's part of the prediction log: entries gather here and go to the disk together.
/// `CompactPredictions` says how they are written.
///
/// What costs here costs every request. So what was parsed is written as its tensors, a sixth of the
/// JSON that they came and went as, and what is the same for many is written once.
struct PredictionLogBuffer {
    /// A source that stands in the block that is being gathered.
    private struct Placed {
        let source: LogSource
        /// How request and reply of its shaped records lie; `nil` where it has none.
        let layouts: (request: PackedLayout, reply: PackedLayout)?
    }

    /// The layouts of the source that was written of last, by addresses: `sources` keeps them.
    private struct Shape {
        let request: UnsafePointer<Int64>
        let reply: UnsafePointer<Int64>
        let requestBytes: Int
        let replyBytes: Int
    }

    private var block: LogBlock
    private let marks = Marks()
    private let writer: PredictionLogWriter
    /// What is kept of a request and of a reply, in bytes.
    private let bodyLimit: Int
    /// Wall time minus the monotonic clock, renewed now and then.
    private var wallOffsetNanoseconds: Int64 = 0
    /// The sources that stand in `block`.
    private var sources: [Placed] = []
    /// The source of the record before, and where it stands in the block, if it does.
    private var lastSource: LogSource?
    private var lastPlace: Int?
    private var shape: Shape?
    /// Whose source that is, and whether it knows tensors; none in a new block.
    private var lastEndpoint: RoutedEndpoint?
    private var lastRevision: LoadedRevision?
    private var knowsTensors = false

    /// Small enough to stay in the processor's cache until the thread that writes has taken it, large
    /// enough that waking that thread costs each entry little.
    private static let flushBytes = 256 << 10
    private static let blockBytes = flushBytes + (32 << 10)
    /// Sources that are looked through; one that stands before them is written again.
    private static let sourcesSeen = 16

    init(writer: PredictionLogWriter, bodyLimit: Int) {
        self.writer = writer
        self.bodyLimit = bodyLimit
        block = writer.takeBlock(capacity: Self.blockBytes)
    }

    mutating func setClock(millisecondsSince1970: Int64, now: NIODeadline) {
        wallOffsetNanoseconds =
            millisecondsSince1970 * 1_000_000 - Int64(truncatingIfNeeded: now.uptimeNanoseconds)
    }

    /// Flags and kinds as plain numbers of this module: those of another cost more to ask for than to
    /// write.
    private struct Marks {
        let requestTensors = CompactPredictions.Flags.requestTensors.rawValue
        let responseTensors = CompactPredictions.Flags.responseTensors.rawValue
        let hasCallerID = CompactPredictions.Flags.hasCallerID.rawValue
        let hasTail = CompactPredictions.Flags.hasTail.rawValue
        let shapedKind = CompactPredictions.shapedKind
        let shapedBytes = CompactPredictions.shapedBytes
    }

    /// How one of request and reply is written: its tensors, or so many of its bytes as they are.
    private struct Form {
        let areTensors: Bool
        let byteCount: Int
    }

    /// - Parameter range: where the reply lies in `response`.
    mutating func append(
        _ prediction: Prediction, status: Int, microseconds: Double, response: ByteBuffer,
        range: Range<Int>
    ) {
        if lastEndpoint !== prediction.endpoint || lastRevision !== prediction.revision {
            choose(prediction)
        }
        let mayBeTensors = status == 200 && knowsTensors && prediction.isPlainJSON
        if mayBeTensors, prediction.hasNoTail, let shape = shape(of: prediction) {
            appendShaped(prediction, microseconds, shape)
        } else {
            appendWhole(prediction, status, microseconds, response, range, mayBeTensors)
        }
        if block.recordBytes >= Self.flushBytes { flush() }
    }

    // MARK: Shaped records

    /// The shape of the source that request and reply lie as; writes it where none of theirs has one.
    /// `nil` where it is not theirs.
    private mutating func shape(of prediction: Prediction) -> Shape? {
        if let shape {
            let isTheirs =
                prediction.request.tensors.lies(as: shape.request)
                && prediction.reply.lies(as: shape.reply)
            return isTheirs ? shape : nil
        }
        guard let request = prediction.request.tensors.layout, let reply = prediction.reply.layout,
            max(request.wholeBytes, reply.wholeBytes) <= bodyLimit
        else { return nil }
        write(layouts: (request, reply), prediction.id)
        return shape
    }

    private mutating func appendShaped(
        _ prediction: Prediction, _ microseconds: Double, _ shape: Shape
    ) {
        let callerID = prediction.request.requestID
        let size =
            marks.shapedBytes + shape.requestBytes + shape.replyBytes
            + (callerID.isEmpty ? 0 : 2 + callerID.count)
        let received =
            Int64(truncatingIfNeeded: prediction.receivedAt.uptimeNanoseconds)
            + wallOffsetNanoseconds
        var entry = LogEntryWriter(block.room(size))
        entry.put(UInt32(truncatingIfNeeded: size - 4))
        entry.put(marks.shapedKind)
        entry.put(callerID.isEmpty ? 0 : marks.hasCallerID)
        entry.put(UInt16(truncatingIfNeeded: lastPlace ?? 0))
        entry.put(prediction.id.sequence)
        entry.put(received / 1_000_000)
        // traps: held by min; a time that passed is a number and not negative
        entry.put(UInt32(min(microseconds, 4e9)))
        entry.putElements(prediction.request.tensors, bytes: shape.requestBytes)
        entry.putElements(prediction.reply, bytes: shape.replyBytes)
        if !callerID.isEmpty {
            entry.put(UInt16(truncatingIfNeeded: callerID.count))
            callerID.withUnsafeBytes { entry.put($0) }
        }
        block.take(size)
    }

    // MARK: Other records

    private mutating func appendWhole(
        _ prediction: Prediction, _ status: Int, _ microseconds: Double, _ response: ByteBuffer,
        _ range: Range<Int>, _ mayBeTensors: Bool
    ) {
        if lastPlace == nil { write(layouts: nil, prediction.id) }
        let requestBytes = prediction.body?.readableBytes ?? 0
        let request = form(prediction.request.tensors, mayBeTensors, requestBytes)
        let reply = form(prediction.reply, mayBeTensors, range.count)
        let trace = prediction.trace?.text
        let callerID = mayBeTensors ? prediction.request.requestID : []
        let hasCallerID = !callerID.isEmpty
        let isCut =
            (!request.areTensors && request.byteCount < requestBytes)
            || (!reply.areTensors && reply.byteCount < range.count)
        let hasTail = isCut || prediction.jsonLength != nil || trace != nil
        let flags =
            (request.areTensors ? marks.requestTensors : 0)
            | (reply.areTensors ? marks.responseTensors : 0)
            | (hasCallerID ? marks.hasCallerID : 0) | (hasTail ? marks.hasTail : 0)
        let bound =
            CompactPredictions.recordBytes + request.byteCount + reply.byteCount + callerID.count
            + 2 + 13 + (trace?.utf8.count ?? 0)
        let received =
            Int64(truncatingIfNeeded: prediction.receivedAt.uptimeNanoseconds)
            + wallOffsetNanoseconds
        var entry = LogEntryWriter(block.room(bound))
        let whole = entry.beginRun()
        entry.put(CompactPredictions.recordKind)
        entry.put(flags)
        entry.put(UInt16(truncatingIfNeeded: lastPlace ?? 0))
        entry.put(UInt16(truncatingIfNeeded: status))
        entry.put(prediction.form.rawValue)
        entry.put(prediction.id.sequence)
        entry.put(received / 1_000_000)
        // traps: held by min; a time that passed is a number and not negative
        entry.put(UInt32(min(microseconds, 4e9)))
        if request.areTensors {
            entry.putRun(prediction.request.tensors, bytes: request.byteCount)
        } else {
            Self.put(request.byteCount, of: prediction.body, from: 0, to: &entry)
        }
        if reply.areTensors {
            entry.putRun(prediction.reply, bytes: reply.byteCount)
        } else {
            Self.put(
                reply.byteCount, of: response, from: range.lowerBound - response.readerIndex,
                to: &entry)
        }
        if hasCallerID { Self.put(callerID, to: &entry) }
        if hasTail {
            entry.put(Int32(clamping: prediction.jsonLength ?? -1))
            entry.put(UInt32(clamping: requestBytes))
            entry.put(UInt32(clamping: range.count))
            Self.put(trace ?? "", to: &entry)
        }
        entry.endRun(whole)
        block.take(entry.offset)
    }

    private static func put(_ callerID: [UInt8], to entry: inout LogEntryWriter) {
        entry.put(UInt16(truncatingIfNeeded: callerID.count))
        callerID.withUnsafeBytes { entry.put($0) }
    }

    /// The length in a byte, then at most so many bytes.
    private static func put(_ text: String, to entry: inout LogEntryWriter) {
        var text = text
        text.withUTF8 {
            entry.put(UInt8(clamping: $0.count))
            entry.put(UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer($0).prefix(255)))
        }
    }

    @inline(__always)
    private func form(_ tensors: TensorSet, _ mayBeTensors: Bool, _ rawBytes: Int) -> Form {
        // Where tensors take more than their JSON may, they are cut like other bytes.
        if mayBeTensors, let size = tensors.logBytes, size <= bodyLimit {
            return Form(areTensors: true, byteCount: size)
        }
        return Form(areTensors: false, byteCount: min(rawBytes, bodyLimit))
    }

    private static func put(
        _ count: Int, of buffer: ByteBuffer?, from start: Int, to entry: inout LogEntryWriter
    ) {
        let place = entry.beginRun()
        buffer?.withUnsafeReadableBytes {
            entry.put(UnsafeRawBufferPointer(rebasing: $0[start..<start + count]))
        }
        entry.endRun(place)
    }

    /// Turns to the source of another endpoint or revision than that of the record before.
    private mutating func choose(_ prediction: Prediction) {
        let source = prediction.endpoint.logSource(of: prediction.revision)
        turn(to: sources.suffix(Self.sourcesSeen).lastIndex { $0.source === source })
        lastSource = source
        knowsTensors = source.knowsTensors
        lastEndpoint = prediction.endpoint
        lastRevision = prediction.revision
    }

    /// Turns to a source of the block, or to none.
    private mutating func turn(to place: Int?) {
        lastPlace = place
        shape = place.flatMap { sources[$0].layouts }.map {
            Shape(
                request: $0.request.numbers, reply: $0.reply.numbers,
                requestBytes: $0.request.byteCount, replyBytes: $0.reply.byteCount)
        }
    }

    /// Writes the source with these layouts, and turns to it.
    private mutating func write(
        layouts: (request: TensorLayout, reply: TensorLayout)?, _ id: PredictionID
    ) {
        // traps: append chooses the source before it writes
        guard let source = lastSource else { preconditionFailure("a source is chosen first") }
        if sources.count > Int(truncatingIfNeeded: UInt16.max) { send() }
        var bytes = source.bytes
        if let layouts { bytes += layouts.request.bytes + layouts.reply.bytes }
        var entry = LogEntryWriter(block.room(bytes.count + 14))
        let whole = entry.beginRun()
        entry.put(CompactPredictions.sourceKind)
        entry.put(id.loop)
        entry.put(id.incarnation)
        bytes.withUnsafeBytes { entry.put($0) }
        entry.endRun(whole)
        block.take(entry.offset)
        sources.append(
            Placed(
                source: source,
                layouts: layouts.map { (PackedLayout($0.request), PackedLayout($0.reply)) }))
        turn(to: sources.count - 1)
    }

    mutating func flush() {
        guard !block.isEmpty else { return }
        send()
        (lastEndpoint, lastRevision, lastSource) = (nil, nil, nil)
    }

    /// Hands the block over and begins another, in which no source stands.
    private mutating func send() {
        turn(to: nil)
        sources.removeAll(keepingCapacity: true)
        writer.write(block)
        block = writer.takeBlock(capacity: Self.blockBytes)
    }
}

extension Prediction {
    /// Whether request and reply are JSON of the Open Inference Protocol that says nothing but tensors
    /// and the caller's own id, so that both can be written again from those.
    fileprivate var isPlainJSON: Bool {
        // `==` of another module's cases goes through their raw values and a table.
        guard case .json = form, case nil = scoring else { return false }
        return request.parameters.isEmpty && !request.saysMore && reply.ownNames.isEmpty
            && request.requestID.count <= Int(truncatingIfNeeded: UInt16.max)
    }

    /// Whether there is nothing to say that only some records have.
    fileprivate var hasNoTail: Bool {
        guard case nil = trace, case nil = jsonLength else { return false }
        return true
    }
}
