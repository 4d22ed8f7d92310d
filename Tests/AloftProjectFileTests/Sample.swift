import AloftDomain
import Foundation
import Testing

@testable import AloftProjectFile

/// The file of the design, whole.
let flights = """
    project: flights
    environment: { python: requirements.txt }
    jobs:
      prepare:
        run: python prepare.py
      train:
        run: python train.py --learning-rate ${learning_rate} --max-depth ${max_depth}
        resources: { cpus: 1, memory: 2Gi, gpus: 0, time: 10m }
        sweep:
          objective: maximize val_auc
          method: tpe
          stop: asha
          trials: 40
          parallel: 2
          space:
            learning_rate: { log_uniform: [0.01, 0.5] }
            max_depth: { int: [2, 10] }
        registers: flight-delay
    models:
      flight-delay:
        checks:
          staging: ["val_auc >= 0.65", "parity <= 1e-4", "latency_p99 <= 10ms"]
          production: ["val_auc >= production.val_auc - 0.002"]
    deployments:
      flight-delay:
        model: flight-delay
        rollout: { steps: [5%, 25%, 100%], hold: 2m, abort: ["error_rate > 1%", "latency_p99 > 20ms"] }
    monitors:
      flight-delay:
        drift: { test: psi, threshold: 0.2, window: 1000 }
        quality: { metric: auc, at_least: 0.62, label: arrived_late }
    triggers:
      retrain: { when: [drift, quality, "cron 0 3 * * 1"], run: train, then: roll out }
    """

/// What is wrong with `text`, one line a fault; empty where nothing is.
func faults(in text: String) -> [String] {
    do {
        _ = try ProjectFileParser.parse(text)
        return []
    } catch {
        return error.message.split(separator: "\n").map(String.init)
    }
}

/// `flights` with the first `old` replaced, so that a test shows just what is wrong.
func flights(replacing old: String, with new: String) -> String {
    guard let range = flights.range(of: old) else {
        Issue.record("the sample has no \(old)")
        return flights
    }
    return flights.replacingCharacters(in: range, with: new)
}
