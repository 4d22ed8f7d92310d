import AloftDomain
import Foundation
import Testing

/// What the web interface asks beyond the protocol.
struct PageCallTests {
    private static let own = "/ajax-api/aloft/"

    /// Twelve runs: seven with depth 2, four with depth 3, one without; their score is their number.
    private func fill(_ world: World) async throws -> [String] {
        var runs: [String] = []
        for number in 0..<12 {
            let run = try await world.run()
            runs.append(run)
            let params = number < 11 ? #"[{"key":"depth","value":"\#(number < 7 ? 2 : 3)"}]"# : "[]"
            _ = try await world.post(
                "runs/log-batch",
                #"""
                {"run_id":"\#(run)","params":\#(params),
                "metrics":[{"key":"score","value":\#(number),"timestamp":1,"step":0}]}
                """#)
        }
        return runs
    }

    private func body(_ more: String = "") -> String {
        #"{"experiment_ids": ["0"]\#(more.isEmpty ? "" : ", " + more)}"#
    }

    @Test func `groups hold all runs that match, with their means`() async throws {
        try await World.run { world in
            _ = try await fill(world)
            let groups = try await world.post(
                Self.own + "runs/groups",
                body(#""group_by": "params.depth", "metrics": ["score", "none"]"#))
            #expect(groups["groups", "0", "value"] == .string("2"))
            #expect(groups["groups", "0", "count"] == .int(7))
            #expect(groups["groups", "0", "means", "0", "value"] == .int(3))
            #expect(groups["groups", "1", "count"] == .int(4))
            #expect(groups["groups", "2", "value"] == .null)
            #expect(groups["groups", "2", "count"] == .int(1))
            #expect(groups["has_more"] == .bool(false))
            let filtered = try await world.post(
                Self.own + "runs/groups",
                body(#""group_by": "params.depth", "filter": "metrics.score >= 6""#))
            #expect(filtered["groups", "0", "value"] == .string("3"))
            #expect(filtered["groups", "1", "count"] == .int(1))
            let first = try await world.post(
                Self.own + "runs/groups", body(#""group_by": "status", "max_results": 1"#))
            #expect(first["groups", "0", "count"] == .int(12))
            let cut = try await world.post(
                Self.own + "runs/groups", body(#""group_by": "params.depth", "max_results": 1"#))
            #expect(cut["has_more"] == .bool(true) && cut["groups", "1"] == .null)
        }
    }

    @Test func `a group's runs are a search within it`() async throws {
        try await World.run { world in
            let runs = try await fill(world)
            let members = try await world.post(
                Self.own + "runs/search",
                body(
                    #"""
                    "group_by": "params.depth", "group_value": "3",
                    "order_by": ["metrics.score DESC"], "max_results": 3
                    """#))
            #expect(members["runs", "0", "info", "run_id"] == .string(runs[10]))
            #expect(members["runs", "3"] == .null && members["next_page_token"] != .null)
            let without = try await world.post(
                Self.own + "runs/search", body(#""group_by": "params.depth""#))
            #expect(without["runs", "0", "info", "run_id"] == .string(runs[11]))
            #expect(without["runs", "1"] == .null)
        }
    }

    @Test func `a count is of all runs that match`() async throws {
        try await World.run { world in
            let runs = try await fill(world)
            _ = try await world.post("runs/delete", #"{"run_id": "\#(runs[0])"}"#)
            for (filter, count) in [
                ("", 11), ("params.depth = '2'", 6), ("metrics.score > 8", 3),
                ("params.depth != '2'", 4), ("params.depth IS NULL", 1),
                ("attributes.status = 'FINISHED'", 0),
            ] {
                let answer = try await world.post(
                    Self.own + "runs/count", body(#""filter": "\#(filter)""#))
                #expect(answer["count"] == .int(Int64(count)), "\(filter)")
            }
        }
    }

    @Test func `many curves come at once, few points each, the peak among them`() async throws {
        try await World.run { world in
            var runs: [String] = []
            for _ in 0..<30 { runs.append(try await world.run()) }
            let points = (0..<1000).map { step in
                #"{"key":"k","value":\#(step == 321 ? 99 : step % 10),"timestamp":\#(step),"step":\#(step)}"#
            }
            for run in runs.prefix(2) {
                _ = try await world.post(
                    "runs/log-batch",
                    #"{"run_id":"\#(run)","metrics":[\#(points.joined(separator: ","))]}"#)
            }
            let list = runs.map { "\"\($0)\"" }.joined(separator: ",")
            let answer = try await world.post(
                Self.own + "curves",
                #"{"run_ids":[\#(list)],"metric_key":"k","max_results":900}"#)
            #expect(answer["curves", "0", "run_id"] == .string(runs[0]))
            #expect(answer["curves", "2"] == .null)
            guard case .array(let steps) = answer["curves", "0", "steps"],
                case .array(let values) = answer["curves", "0", "values"]
            else {
                Issue.record("no lists")
                return
            }
            #expect(steps.count == values.count && (4...30).contains(steps.count))
            #expect(values.contains(.int(99)))
            #expect(steps.first == .int(0) && steps.last == .int(999))
            let part = try await world.post(
                Self.own + "curves",
                #"{"run_ids":["\#(runs[0])"],"metric_key":"k","start_step":10,"end_step":12}"#)
            #expect(part["curves", "0", "steps"] == .array([.int(10), .int(11), .int(12)]))
        }
    }

    @Test func `the columns are those of all runs, each once`() async throws {
        try await World.run { world in
            _ = try await fill(world)
            let run = try await world.run()
            _ = try await world.post(
                "runs/log-batch",
                #"""
                {"run_id":"\#(run)","params":[{"key":"rare","value":"1"}],
                "metrics":[{"key":"odd/one","value":1,"timestamp":1}]}
                """#)
            let keys = try await world.post(Self.own + "runs/keys", body())
            #expect(keys["metrics"] == .array([.string("odd/one"), .string("score")]))
            #expect(keys["params"] == .array([.string("depth"), .string("rare")]))
            #expect(keys["has_more"] == .bool(false))
        }
    }

    /// Noise round 0.88.
    private static func noisy(_ count: Int) -> [String] {
        (0..<count).map { index in
            let value = 0.53 + 0.7 * Double((index * 7919) % 1000) / 1000
            return #"{"key":"k","value":\#(value),"timestamp":\#(index * 1000),"step":\#(index)}"#
        }
    }

    @Test func `a smoothed value is the same at every zoom`() async throws {
        try await World.run { world in
            let run = try await world.run()
            let points = Self.noisy(6000)
            for start in stride(from: 0, to: points.count, by: 1000) {
                let part = points[start..<start + 1000].joined(separator: ",")
                _ = try await world.post(
                    "runs/log-batch", #"{"run_id":"\#(run)","metrics":[\#(part)]}"#)
            }
            var seen: [Int64: Double] = [:]
            var compared = 0
            for (from, to) in [(0, 5999), (2000, 3999), (2950, 3050)] {
                let answer = try await world.post(
                    Self.own + "curves",
                    #"""
                    {"run_ids":["\#(run)"],"metric_key":"k","start_step":\#(from),"end_step":\#(to),
                    "max_results":400,"smoothing":0.9}
                    """#)
                #expect(answer["curves", "0", "point_count"] == .int(6000))
                guard case .array(let steps) = answer["curves", "0", "steps"],
                    case .array(let values) = answer["curves", "0", "smoothed"]
                else {
                    Issue.record("no smoothed values")
                    return
                }
                for case (.int(let step), .double(let value)) in zip(steps, values) {
                    if let other = seen[step] {
                        #expect(abs(other - value) < 1e-9)
                        compared += 1
                    }
                    seen[step] = value
                    // Of the true mean, not between the kept lowest and greatest.
                    if step > 500 { #expect(abs(value - 0.88) < 0.2) }
                }
            }
            #expect(compared > 10)
        }
    }

    @Test func `curves by time are in the order of time where steps fall`() async throws {
        try await World.run { world in
            let run = try await world.run()
            let points = [0, 1, 2, 1, 2, 3].enumerated().map {
                #"{"key":"k","value":\#($0),"timestamp":\#($0 * 10),"step":\#($1)}"#
            }
            _ = try await world.post(
                "runs/log-batch",
                #"{"run_id":"\#(run)","metrics":[\#(points.joined(separator: ","))]}"#)
            let answer = try await world.post(
                Self.own + "curves",
                #"{"run_ids":["\#(run)"],"metric_key":"k","axis":"time"}"#)
            let steps: [Int64] = [0, 1, 2, 1, 2, 3]
            #expect(answer["curves", "0", "steps"] == .array(steps.map { .int($0) }))
            #expect(answer["curves", "0", "start_time"] != .null)
        }
    }

    @Test(arguments: [
        ("curves", #"{"run_ids": [], "metric_key": "k"}"#),
        ("curves", #"{"run_ids": ["a"]}"#),
        ("curves", #"{"run_ids": ["a"], "metric_key": "k", "start_step": 4}"#),
        ("curves", #"{"run_ids": ["a"], "metric_key": "k", "axis": "epoch"}"#),
        ("curves", #"{"run_ids": ["a"], "metric_key": "k", "smoothing": 1}"#),
        ("curves", #"{"run_ids": ["a"], "metric_key": "k", "smoothing": "much"}"#),
        ("runs/groups", #"{"experiment_ids": ["0"]}"#),
        ("runs/groups", #"{"experiment_ids": ["0"], "group_by": "metrics.score"}"#),
        ("runs/groups", #"{"experiment_ids": ["0"], "group_by": "params."}"#),
        ("runs/search", #"{"experiment_ids": ["0"], "group_by": 5}"#),
        ("runs/count", #"{"experiment_ids": ["0"], "filter": "nonsense ==="}"#),
    ])
    func `what cannot be asked is said`(path: String, body: String) async throws {
        try await World.run { world in
            let answer = try await world.post(Self.own + path, body)
            #expect(answer.status == 400 && answer.errorCode == "INVALID_PARAMETER_VALUE")
        }
    }
}
