import AloftDomain
import Foundation
import Testing

@testable import AloftProjectFile

struct ProjectFileTests {
    @Test func `the design's file is read whole`() throws {
        let file = try ProjectFileParser.parse(flights)
        #expect(file.project == ProjectID("flights"))
        #expect(file.jobs.map(\.name) == ["prepare", "train"])
        let train = try #require(file.job(named: "train"))
        #expect(train.environment == EnvironmentDefinition(python: "requirements.txt"))
        #expect(
            train.resources
                == ResourceDefinition(memoryBytes: 2_147_483_648, time: .seconds(600)))
        #expect(train.registers == "flight-delay")
        let sweep = try #require(train.sweep)
        #expect(sweep.objective == .init(direction: .maximize, metric: "val_auc"))
        #expect(sweep.stop == .asha(grace: 1, reduction: 3))
        #expect(sweep.trials == 40 && sweep.parallel == 2 && sweep.maxFailures == 10)
        #expect(
            sweep.space == [
                SearchDimension(
                    name: "learning_rate",
                    domain: .real(low: 0.01, high: 0.5, log: true, step: nil)),
                SearchDimension(
                    name: "max_depth", domain: .integer(low: 2, high: 10, log: false, step: 1)),
            ])
        let model = try #require(file.model(named: "flight-delay"))
        #expect(model.checks(for: "staging").count == 3)
        #expect(model.checks(for: "production").first?.otherEnvironment == "production")
        let rollout = try #require(file.deployment(named: "flight-delay")?.rollout)
        #expect(rollout.stepsPercent == [5, 25, 100] && rollout.hold == .seconds(120))
        #expect(file.monitors.first?.quality?.bound == .atLeast(0.62))
        #expect(file.triggers.first?.then == .rollOut)
        #expect(file.unactedParts.count == 2)
    }

    @Test func `every fault is reported at once, in the file's order`() {
        let text = """
            projet: flights
            jobs:
              train:
                rum: python train.py
                resources: { memory: lots }
              2 b: { run: "x" }
            deployments:
              d: { model: flight-dely }
            """
        #expect(
            faults(in: text) == [
                "aloft.yaml:1:1: unknown key `projet`; did you mean `project`?",
                "aloft.yaml:4:5: jobs.train: unknown key `rum`; did you mean `run`?",
                "aloft.yaml:5:26: jobs.train.resources.memory: `memory` is a size such as 512Mi or 2Gi, at least 1Mi, not `lots`",
                "aloft.yaml:6:3: jobs: `2 b` is no name here: up to 63 letters, digits and `-`, `_`, a letter or digit first",
                "aloft.yaml:8:15: deployments.d.model: no job `registers` the model `flight-dely` and `models` does not name it; if another program registers it, add `flight-dely: {}` under `models`",
            ])
    }

    /// One change of the sample, the line where the fault is named, and a part of the message.
    @Test(arguments: [
        ("memory: 2Gi", "memory: 2Gx", 8, "a size such as"),
        ("time: 10m", "time: ten", 8, "a length of time"),
        ("cpus: 1", "cpus: 0", 8, "above 0"),
        ("maximize val_auc", "maximise val_auc", 10, "did you mean `maximize`?"),
        ("maximize val_auc", "val_auc", 10, "`maximize METRIC`"),
        ("method: tpe", "method: tpa", 11, "did you mean `tpe`?"),
        ("stop: asha", "stop: ashy", 12, "did you mean `asha`?"),
        ("trials: 40", "trials: 0", 13, "from 1 to 10000"),
        ("trials: 40", "trails: 40", 13, "did you mean `trials`?"),
        ("log_uniform: [0.01, 0.5]", "log_uniform: [0, 0.5]", 16, "above 0"),
        ("log_uniform: [0.01, 0.5]", "uniform: [0.5, 0.01]", 16, "comes first"),
        ("log_uniform: [0.01, 0.5]", "uniform: [0.5]", 16, "two ends"),
        ("log_uniform: [0.01, 0.5]", "uniform: [nan, 1]", 16, "is a number, not `nan`"),
        ("log_uniform: [0.01, 0.5]", "uniform: [0, 1], step: 2", 16, "at most the distance"),
        (
            "log_uniform: [0.01, 0.5]", "log_uniform: [0.1, 1], step: 0.1", 16,
            "uniform and int only"
        ),
        ("log_uniform: [0.01, 0.5]", "choice: [a, b, a]", 16, "listed twice"),
        ("int: [2, 10]", "int: [2.5, 10]", 17, "whole number"),
        ("int: [2, 10]", "int: [2, 10], uniform: [0, 1]", 17, "one of uniform"),
        ("${max_depth}", "${max_dept}", 7, "did you mean `${max_depth}`?"),
        ("--max-depth ${max_depth}", "", 17, "`run` does not use it"),
        ("val_auc >= 0.65", "val_auc => 0.65", 22, "cannot be read"),
        ("latency_p99 <= 10ms", "latency_p99 <= 10", 22, "needs a unit"),
        ("production.val_auc - 0.002", "production.val_auc - x", 23, "a number follows"),
        ("model: flight-delay\n", "model: flight-dellay\n", 26, "did you mean `flight-delay`?"),
        ("[5%, 25%, 100%]", "[5%, 25%]", 27, "the last is 100%"),
        ("[5%, 25%, 100%]", "[5, 25%, 100%]", 27, "a percentage"),
        ("error_rate > 1%", "val_auc > 1%", 27, "does not change"),
        ("test: psi", "test: psy", 30, "did you mean `psi`?"),
        ("at_least: 0.62,", "", 31, "one bound"),
        ("cron 0 3 * * 1", "cron 0 25 * * 1", 33, "the hour `25`"),
        ("run: train,", "run: trian,", 33, "did you mean `train`?"),
        ("then: roll out", "then: roll", 33, "register, roll out"),
    ])
    func `a fault names its line and what would be right`(
        old: String, new: String, line: Int, part: String
    ) {
        let found = faults(in: flights(replacing: old, with: new))
        #expect(
            found.contains { $0.hasPrefix("aloft.yaml:\(line):") && $0.contains(part) },
            "\(found)")
        #expect(found.count == 1, "one cause, one fault: \(found)")
    }

    @Test(arguments: ["", "# nothing", "---\n"])
    func `an empty file says how to begin`(text: String) {
        #expect(faults(in: text).count == 1)
        #expect(faults(in: text)[0].contains("project"))
    }

    @Test func `text that is not YAML names the line`() {
        #expect(faults(in: "project: a\njobs: [")[0].contains("not YAML"))
        #expect(faults(in: "project: a\nproject: b")[0].contains("more than once"))
        #expect(faults(in: "project: a\n---\nproject: b")[0].contains("not YAML"))
        #expect(faults(in: "project: \"\\uD800\"")[0].contains("not YAML"))
        #expect(!faults(in: "project: a\u{0}b").isEmpty)
    }

    @Test func `a grid counts its own trials and needs an end of values`() throws {
        let space = """
            project: g
            jobs:
              j:
                run: x ${a} ${b}
                sweep:
                  objective: minimize loss
                  method: grid
                  space: { a: { uniform: [0, 1], step: 0.25 }, b: { choice: [x, 2, true] } }
            """
        #expect(try ProjectFileParser.parse(space).jobs[0].sweep?.trials == 15)
        let endless = space.replacingOccurrences(of: ", step: 0.25", with: "")
        #expect(faults(in: endless).count == 1)
        #expect(faults(in: endless)[0].contains("cannot try every value of `a`"))
    }

    @Test func `a deployment says how its model runs`() throws {
        func execution(_ lines: String) throws -> ExecutionRules? {
            let text = "project: p\nmodels: { m: {} }\ndeployments: { d: { model: m\(lines) } }"
            return try ProjectFileParser.parse(text).deployment(named: "d")?.traffic.execution
        }
        #expect(try execution("") == nil)
        #expect(
            try execution(", workers: 4, batch: off, latency_target: 50ms")
                == ExecutionRules(workers: 4, batch: .off, latencyTargetMilliseconds: 50))
        #expect(try execution(", batch: rows") == ExecutionRules(batch: .rows))
        for (lines, says) in [
            ("workers: 0", "from 1 to 256"), ("workers: many", "from 1 to 256"),
            ("batch: on", "rows, off"), ("latency_target: 0s", "length of time"),
            ("latency_target: 2h", "from 1ms to 1h"), ("latency_target: 50", "length of time"),
        ] {
            let text = "project: p\nmodels: { m: {} }\ndeployments: { d: { model: m, \(lines) } }"
            let found = faults(in: text)
            #expect(found.count == 1 && found[0].contains(says), "\(lines): \(found)")
        }
    }
}
