import AloftDomain
import AloftInference
import AloftWire
import NIOCore

/// In a rollout, what one revision refuses is held against it where the other would have taken it. Both
/// are asked alike, so that callers who send nonsense speak against neither.
extension LoopState {
    /// A revision refused a request for the caller's fault.
    func contest(_ prediction: Prediction, _ error: InferenceError) {
        guard prediction.isChosen, let body = prediction.body,
            let other = prediction.endpoint.counterpart(of: prediction.revision)
        else { return }
        let counters = prediction.revision.counters
        let (form, index, eventLoop) = (prediction.form, index, eventLoop)
        let limitBytes = prediction.request.tensors.limitBytes
        // What the model of a worker makes of the values is known when it is asked.
        if case .remote = other.execution, !error.isOfForm || form == .scoring {
            return shared.shadows.submit(
                ShadowCopy(
                    endpoint: prediction.endpoint.served.name, revision: other, body: body,
                    form: form,
                    purpose: .whetherTaken { isTaken in
                        guard isTaken else { return }
                        eventLoop.execute { counters.contested(loop: index) }
                    }))
        }
        guard body.readableBytes > LargeBodies.thresholdBytes else {
            let request = takeRequest()
            request.tensors.limitBytes = limitBytes
            if other.takes(body, form: form, with: request) { counters.contested(loop: index) }
            return giveBack(request, takeReply())
        }
        // Where too much waits it is not counted, for either of them.
        _ = shared.large.submit {
            let request = InferenceRequest()
            request.tensors.limitBytes = limitBytes
            guard other.takes(body, form: form, with: request) else { return }
            eventLoop.execute { counters.contested(loop: index) }
        }
    }
}

extension LoadedRevision {
    /// Whether it would ask its model, as far as the request tells.
    fileprivate func takes(
        _ body: ByteBuffer, form: PredictionForm, with request: InferenceRequest
    ) -> Bool {
        do throws(InferenceError) {
            try read(body, form: form, into: request)
        } catch {
            return false
        }
        return rules?.fault(in: request.tensors) == nil
    }
}

extension RoutedEndpoint {
    /// The other one of two revisions with traffic; `nil` where there are not two.
    func counterpart(of revision: LoadedRevision) -> LoadedRevision? {
        guard routes.count == 2, routes.contains(where: { $0.revision === revision }) else {
            return nil
        }
        return routes.first { $0.revision !== revision }?.revision
    }
}
