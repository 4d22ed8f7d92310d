package import AloftDomain
import Foundation

/// One record of a block, whose fixed part is read and whose long parts are only measured.
///
/// In a block `ALP1` a record is little-endian: length of what follows (4 bytes), HTTP status (2), loop
/// (1), form (1), incarnation (8), sequence (8), wall time in milliseconds (8), microseconds taken (4),
/// length of the revision's description (2) and that, length of the request (4) and that, length of
/// the reply (4) and that, then `Tail`; older logs end with the reply. The description is made of
/// endpoint, revision, rollout step, model, version and digest, each ended by a line feed.
package struct PredictionRecord {
    package let id: PredictionID
    package let form: PredictionForm
    package let status: Int
    package let milliseconds: Int64
    package let microseconds: Int
    package let description: UnsafeRawBufferPointer
    /// The record with its length before it.
    package let whole: UnsafeRawBufferPointer
    /// What it shares with others of its block; `nil` in a block `ALP1`.
    package var source: PredictionSource?
    let request: UnsafeRawBufferPointer
    let response: UnsafeRawBufferPointer
    let tail: Tail?
    /// In a compact block: whether request and response are tensors, and the caller's own id.
    var hasRequestTensors = false
    var hasResponseTensors = false
    var callerID: UnsafeRawBufferPointer?
    /// Of a shaped record: how its tensors lie.
    var layouts: (request: TensorLayout, reply: TensorLayout)?

    /// Length of the request's JSON or -1 (4 bytes), the lengths of request and reply before they were
    /// cut (4 and 4), length of the trace's header (1) and that.
    struct Tail {
        let jsonLength: Int?
        let requestBytes: Int
        let responseBytes: Int
        let trace: UnsafeRawBufferPointer

        init?(_ scan: inout ByteScan) {
            guard let jsonLength = scan.take(Int32.self),
                let requestBytes = scan.take(UInt32.self),
                let responseBytes = scan.take(UInt32.self),
                let trace = scan.takeBytes(UInt8.self)
            else { return nil }
            self.jsonLength = jsonLength < 0 ? nil : Int(jsonLength)
            self.requestBytes = Int(requestBytes)
            self.responseBytes = Int(responseBytes)
            self.trace = trace
        }
    }

    /// The record at the begin of `bytes`; `nil` where the lengths do not fit.
    package init?(_ bytes: UnsafeRawBufferPointer) {
        var outer = ByteScan(bytes)
        guard let content = outer.takeBytes(UInt32.self) else { return nil }
        var scan = ByteScan(content)
        guard let status = scan.take(UInt16.self), let loop = scan.take(UInt8.self),
            let form = scan.take(UInt8.self),
            let incarnation = scan.take(UInt64.self), let sequence = scan.take(UInt64.self),
            let milliseconds = scan.take(Int64.self), let microseconds = scan.take(UInt32.self),
            let description = scan.takeBytes(UInt16.self),
            let request = scan.takeBytes(UInt32.self), let response = scan.takeBytes(UInt32.self)
        else { return nil }
        id = PredictionID(incarnation: incarnation, loop: loop, sequence: sequence)
        self.status = Int(status)
        self.form = PredictionForm(rawValue: form) ?? .json
        self.milliseconds = milliseconds
        self.microseconds = Int(microseconds)
        self.description = description
        self.request = request
        self.response = response
        whole = UnsafeRawBufferPointer(rebasing: bytes[..<outer.offset])
        tail = Tail(&scan)
    }

    /// The record that an entry of a compact block is, after its kind; `nil` where it does not fit.
    init?(
        compact whole: UnsafeRawBufferPointer, _ scan: inout ByteScan, _ sources: [PredictionSource]
    ) {
        guard let bits = scan.take(UInt8.self), let place = scan.take(UInt16.self),
            Int(place) < sources.count,
            let status = scan.take(UInt16.self), let form = scan.take(UInt8.self),
            let sequence = scan.take(UInt64.self), let milliseconds = scan.take(Int64.self),
            let microseconds = scan.take(UInt32.self),
            let request = scan.takeBytes(UInt32.self), let response = scan.takeBytes(UInt32.self)
        else { return nil }
        let flags = CompactPredictions.Flags(rawValue: bits)
        if flags.contains(.hasCallerID) {
            guard let text = scan.takeBytes(UInt16.self) else { return nil }
            callerID = text
        }
        if flags.contains(.hasTail) {
            guard let found = Tail(&scan) else { return nil }
            tail = found
        } else {
            tail = nil
        }
        let source = sources[Int(place)]
        id = PredictionID(
            incarnation: source.incarnation, loop: source.loop, sequence: sequence)
        self.status = Int(status)
        self.form = PredictionForm(rawValue: form) ?? .json
        self.milliseconds = milliseconds
        self.microseconds = Int(microseconds)
        description = source.description
        self.request = request
        self.response = response
        self.whole = whole
        self.source = source
        hasRequestTensors = flags.contains(.requestTensors)
        hasResponseTensors = flags.contains(.responseTensors)
    }

    /// The shaped record that an entry is, after its kind; `nil` where it does not fit.
    init?(
        shaped whole: UnsafeRawBufferPointer, _ scan: inout ByteScan, _ sources: [PredictionSource]
    ) {
        guard let bits = scan.take(UInt8.self), let place = scan.take(UInt16.self),
            Int(place) < sources.count, let layouts = sources[Int(place)].layouts,
            let sequence = scan.take(UInt64.self), let milliseconds = scan.take(Int64.self),
            let microseconds = scan.take(UInt32.self),
            let request = scan.take(count: layouts.request.byteCount),
            let response = scan.take(count: layouts.reply.byteCount)
        else { return nil }
        if CompactPredictions.Flags(rawValue: bits).contains(.hasCallerID) {
            guard let text = scan.takeBytes(UInt16.self) else { return nil }
            callerID = text
        }
        let source = sources[Int(place)]
        id = PredictionID(
            incarnation: source.incarnation, loop: source.loop, sequence: sequence)
        status = 200
        form = .json
        self.milliseconds = milliseconds
        self.microseconds = Int(microseconds)
        description = source.description
        self.request = request
        self.response = response
        tail = nil
        self.whole = whole
        self.source = source
        self.layouts = layouts
        (hasRequestTensors, hasResponseTensors) = (true, true)
    }

    /// Every record of a block `ALP1`; `nil` where one does not fit, so that the block is no log.
    static func all(in records: UnsafeRawBufferPointer) -> [PredictionRecord]? {
        var found: [PredictionRecord] = []
        var offset = 0
        while offset < records.count {
            guard
                let record = PredictionRecord(
                    UnsafeRawBufferPointer(rebasing: records[offset...]))
            else { return nil }
            found.append(record)
            offset += record.whole.count
        }
        return found
    }

    /// Endpoint, revision, rollout step, model, version, digest; `nil` where some are missing.
    package static func words(of description: UnsafeRawBufferPointer) -> [String]? {
        let words = String(decoding: description, as: UTF8.self)
            .split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        return words.count >= 6 ? words : nil
    }

    /// The whole of it; `nil` where the description says too little, or tensors are none.
    package var prediction: LoggedPrediction? { read(withBodies: true) }

    /// It without what was asked and answered.
    package var summary: LoggedPrediction? { read(withBodies: false) }

    private func read(withBodies: Bool) -> LoggedPrediction? {
        guard let words = Self.words(of: description),
            let (request, response) = withBodies ? bodies(words) : (Data(), Data())
        else { return nil }
        var prediction = LoggedPrediction(
            id: id.text, endpoint: words[0], revision: RevisionID(words[1]),
            rolloutStep: Int(words[2]), modelName: words[3], modelVersion: words[4],
            digest: words[5], status: status, receivedAt: Date(millisecondsSince1970: milliseconds),
            microseconds: microseconds, request: request, response: response)
        prediction.form = form
        guard let tail else { return prediction }
        prediction.jsonLength = tail.jsonLength
        // Tensors are never cut, and what they are written as again has a length of its own.
        if !hasRequestTensors { prediction.requestBytes = tail.requestBytes }
        if !hasResponseTensors { prediction.responseBytes = tail.responseBytes }
        prediction.trace = TraceParent(String(decoding: tail.trace, as: UTF8.self))
        return prediction
    }

    private func bodies(_ words: [String]) -> (Data, Data)? {
        guard let source, hasRequestTensors || hasResponseTensors else {
            return (Data(request), Data(response))
        }
        guard let signature = source.signature else { return nil }
        var answered: [LoggedTensor]?
        if hasResponseTensors {
            guard let tensors = tensors(in: response, layouts?.reply, signature.outputs) else {
                return nil
            }
            answered = tensors
        }
        var asked = Data(request)
        if hasRequestTensors {
            guard let tensors = tensors(in: request, layouts?.request, signature.inputs) else {
                return nil
            }
            let places = answered?.map(\.place) ?? Array(signature.outputs.indices)
            asked = InferJSON.request(
                tensors, callerID: callerID,
                outputs: places == Array(signature.outputs.indices)
                    ? [] : places.map { signature.outputs[$0].name })
        }
        let said = answered.map {
            InferJSON.response(
                $0, model: words[0], version: words[4], callerID: callerID)
        }
        return (asked, said ?? Data(response))
    }

    private func tensors(
        in bytes: UnsafeRawBufferPointer, _ layout: TensorLayout?,
        _ signature: [PredictionSource.Signature.Tensor]
    ) -> [LoggedTensor]? {
        guard let layout else { return LoggedTensor.all(in: bytes, signature) }
        return LoggedTensor.all(in: bytes, layout, signature)
    }
}
