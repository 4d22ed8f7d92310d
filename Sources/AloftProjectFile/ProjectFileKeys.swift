/// The keys of each section, in the order in which documentation and messages name them. The JSON
/// Schema at `docs/reference/aloft-schema.json` is held against them by a test.
package enum ProjectFileKeys {
    package static let file = [
        "project", "environment", "jobs", "models", "deployments", "monitors", "triggers",
    ]
    package static let environment = ["python", "version"]
    package static let job = [
        "run", "environment", "resources", "variables", "secrets", "parameters", "sweep",
        "registers",
    ]
    package static let resources = ["cpus", "memory", "gpus", "time", "processes"]
    package static let sweep = [
        "objective", "method", "stop", "trials", "parallel", "seed", "max_failures", "space",
    ]
    package static let stop = ["asha", "median"]
    package static let asha = ["grace", "reduction"]
    package static let median = ["grace", "trials"]
    package static let dimension = ["uniform", "log_uniform", "int", "log_int", "choice", "step"]
    package static let model = ["checks"]
    package static let deployment = [
        "model", "rollout", "log", "breaking", "shadow", "segments", "workers", "batch",
        "latency_target",
    ]
    package static let rollout = ["steps", "hold", "abort", "score_shift", "at_least"]
    package static let shadow = ["share", "deployment", "environment"]
    package static let segments = ["by", "tree"]
    package static let segmentKey = ["header", "parameter", "field"]
    package static let segment = ["deployment", "within"]
    package static let monitor = ["drift", "quality"]
    package static let drift = ["test", "threshold", "window"]
    package static let quality = ["metric", "at_least", "at_most", "label"]
    package static let trigger = ["when", "run", "then"]
}
