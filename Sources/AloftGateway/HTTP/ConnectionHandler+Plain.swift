import AloftInference
import NIOCore

// Requests that were read whole and are in the plainest form, as most are.
extension ConnectionHandler {
    /// Answers a request that was read whole and is in the plainest form. False where it must go by way
    /// of the HTTP library: it asks for something else, or waits its turn.
    ///
    /// - Parameter bytes: begin with the request.
    func take(_ plain: PlainRequest, _ bytes: ByteBuffer) -> Bool {
        guard phase == .idle, pending.isEmpty, !isBackedUp else { return false }
        let isHostKnown = bytes.withUnsafeReadableBytes {
            loop.knowsHost(UnsafeRawBufferPointer(rebasing: $0[plain.host]))
        }
        guard isHostKnown else { return false }
        let found = bytes.withUnsafeReadableBytes {
            loop.inferPath(UnsafeRawBufferPointer(rebasing: $0[plain.target]))
        }
        guard let found, !found.needsHeaders else { return false }
        sawPart = true
        phase = .reading
        let request = plainRequest(found, bodyBytes: plain.bodyBytes)
        if plain.bodyBytes > 0 {
            request.body = bytes.getSlice(
                at: bytes.readerIndex + plain.headBytes, length: plain.bodyBytes)
        }
        if plain.hasFurtherHeaders {
            bytes.withUnsafeReadableBytes { head in
                plain.forEachHeader(head) { request.take(name: $0, value: $1) }
            }
        }
        current = request
        dispatch(request)
        return true
    }

    private func plainRequest(
        _ path: RoutingTable.InferPath, bodyBytes: Int
    ) -> RequestInProgress {
        if isKnownUniquelyReferenced(&kept), let kept,
            kept.isNext(plain: path, tableNumber: loop.tableNumber, bodyBytes: bodyBytes)
        {
            return kept
        }
        let made = RequestInProgress(
            plain: path, tableNumber: loop.tableNumber, bodyBytes: bodyBytes)
        kept = made
        return made
    }
}
