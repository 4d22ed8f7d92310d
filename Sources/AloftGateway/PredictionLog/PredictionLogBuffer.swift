import AloftDomain
import AloftInference
import NIOCore

/// One event loop's part of the prediction log: entries gather here and go to the disk together.
/// `CompactPredictions` says how they are written.
///
/// What costs here costs every request. So what was parsed is written as its tensors, a sixth of the
/// JSON that they came and went as, and what is the same for many is written once.
struct PredictionLogBuffer {
    private var bytes = ByteBuffer()
    private let writer: PredictionLogWriter
    /// What is kept of a request and of a reply, in bytes.
    private let bodyLimit: Int
    /// Wall time minus the monotonic clock, renewed now and then.
    private var wallOffsetNanoseconds: Int64 = 0
    /// The sources that stand in `bytes`, and the one that was written of last.
    private var sources: [LogSource] = []
    private var lastSource = 0
    /// Whose source that is, and whether it knows tensors; none in a new block.
    private var lastEndpoint: RoutedEndpoint?
    private var lastRevision: LoadedRevision?
    private var knowsTensors = false

    /// Small enough to stay in the processor's cache until the thread that writes has taken it.
    private static let flushBytes = 64 << 10
    /// Sources that are looked through; one that stands before them is written again.
    private static let sourcesSeen = 16

    init(writer: PredictionLogWriter, bodyLimit: Int) {
        self.writer = writer
        self.bodyLimit = bodyLimit
    }

    mutating func setClock(millisecondsSince1970: Int64, now: NIODeadline) {
        wallOffsetNanoseconds =
            millisecondsSince1970 * 1_000_000 - Int64(now.uptimeNanoseconds)
    }

    /// The flags as plain numbers: sets of options from another module cost more than the rest of the
    /// entry's head.
    private enum Flag {
        static let requestTensors = CompactPredictions.Flags.requestTensors.rawValue
        static let responseTensors = CompactPredictions.Flags.responseTensors.rawValue
        static let hasCallerID = CompactPredictions.Flags.hasCallerID.rawValue
        static let hasTail = CompactPredictions.Flags.hasTail.rawValue
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
        let requestBytes = prediction.body?.readableBytes ?? 0
        let mayBeTensors = status == 200 && knowsTensors && prediction.isPlainJSON
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
            (request.areTensors ? Flag.requestTensors : 0)
            | (reply.areTensors ? Flag.responseTensors : 0)
            | (hasCallerID ? Flag.hasCallerID : 0) | (hasTail ? Flag.hasTail : 0)
        let bound =
            CompactPredictions.recordBytes + request.byteCount + reply.byteCount + callerID.count
            + 2 + 13 + (trace?.utf8.count ?? 0)
        let received = Int64(prediction.receivedAt.uptimeNanoseconds) + wallOffsetNanoseconds
        bytes.writeWithUnsafeMutableBytes(minimumWritableBytes: bound) { memory in
            var entry = LogEntryWriter(memory)
            let whole = entry.beginRun()
            entry.put(CompactPredictions.recordKind)
            entry.put(flags)
            entry.put(UInt16(truncatingIfNeeded: lastSource))
            entry.put(UInt16(status))
            entry.put(prediction.form.rawValue)
            entry.put(prediction.id.sequence)
            entry.put(received / 1_000_000)
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
            if hasCallerID {
                entry.put(UInt16(callerID.count))
                callerID.withUnsafeBytes { entry.put($0) }
            }
            if hasTail {
                entry.put(Int32(clamping: prediction.jsonLength ?? -1))
                entry.put(UInt32(clamping: requestBytes))
                entry.put(UInt32(clamping: range.count))
                var text = trace ?? ""
                text.withUTF8 {
                    entry.put(UInt8(clamping: $0.count))
                    entry.put(
                        UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer($0).prefix(255)))
                }
            }
            entry.endRun(whole)
            return entry.offset
        }
        if bytes.readableBytes >= Self.flushBytes { flush() }
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
        // Writing may send the block on, and forget what is known of it.
        lastSource = place(source, prediction.id)
        knowsTensors = source.knowsTensors
        lastEndpoint = prediction.endpoint
        lastRevision = prediction.revision
    }

    /// The number of a source in the block that is being gathered; writes it where it is new there.
    private mutating func place(_ source: LogSource, _ id: PredictionID) -> Int {
        if let found = sources.suffix(Self.sourcesSeen).firstIndex(where: { $0 === source }) {
            return found
        }
        if sources.count > Int(UInt16.max) { flush() }
        bytes.writeWithUnsafeMutableBytes(minimumWritableBytes: source.bytes.count + 14) { memory in
            var entry = LogEntryWriter(memory)
            let whole = entry.beginRun()
            entry.put(CompactPredictions.sourceKind)
            entry.put(id.loop)
            entry.put(id.incarnation)
            source.bytes.withUnsafeBytes { entry.put($0) }
            entry.endRun(whole)
            return entry.offset
        }
        sources.append(source)
        return sources.count - 1
    }

    mutating func flush() {
        guard bytes.readableBytes > 0 else { return }
        sources.removeAll(keepingCapacity: true)
        (lastEndpoint, lastRevision) = (nil, nil)
        writer.write(bytes)
        bytes = writer.takeMemory() ?? ByteBuffer()
        // Clears what the writer still shares by taking other memory.
        bytes.clear(minimumCapacity: Self.flushBytes + (32 << 10))
    }
}

extension Prediction {
    /// Whether request and reply are JSON of the Open Inference Protocol that says nothing but tensors
    /// and the caller's own id, so that both can be written again from those.
    fileprivate var isPlainJSON: Bool {
        form == .json && scoring == nil && request.parameters.isEmpty && !request.saysMore
            && request.requestID.count <= Int(UInt16.max)
    }
}
