import AloftDomain
import Foundation
import Testing

struct MetricCallTests {
    /// Logs points with the steps 0…count-1; the value 9999 stands at one of them.
    private func log(_ world: World, _ run: String, count: Int, peak: Int) async throws {
        for start in stride(from: 0, to: count, by: 1000) {
            let points = (start..<min(start + 1000, count)).map { step in
                let value = step == peak ? 9999 : step % 10
                return #"{"key":"k","value":\#(value),"timestamp":\#(step),"step":\#(step)}"#
            }
            let answer = try await world.post(
                "runs/log-batch",
                #"{"run_id":"\#(run)","metrics":[\#(points.joined(separator: ","))]}"#)
            #expect(answer.status == 200)
        }
    }

    private func steps(_ answer: World.Answer) -> [Int64] {
        guard case .array(let metrics) = answer["metrics"] else { return [] }
        return metrics.compactMap { metric in
            guard case .object(let members) = metric, case .int(let step)? = members["step"]
            else { return nil }
            return step
        }
    }

    @Test func `a history comes in pages, or whole to who asks for no page`() async throws {
        try await World.run { world in
            let run = try await world.run()
            try await log(world, run, count: 26_500, peak: 3)
            let path = "metrics/get-history?run_id=\(run)&metric_key=k"
            let whole = try await world.get(path)
            #expect(steps(whole) == Array(0..<26_500) && whole["next_page_token"] == .null)
            var token = ""
            var found: [Int64] = []
            repeat {
                let page = try await world.get(path + "&max_results=9000&page_token=\(token)")
                found += steps(page)
                if case .string(let next) = page["next_page_token"] {
                    token = next.replacing("=", with: "%3D").replacing("+", with: "%2B")
                } else {
                    token = ""
                }
            } while !token.isEmpty
            #expect(found == Array(0..<26_500))
            for bad in ["x", "e30%3D", "eyJvZmZzZXQiOiAzfQ%3D%3D"] {
                let answer = try await world.get(path + "&max_results=9&page_token=\(bad)")
                #expect(answer.status == 400 && answer.errorCode == "INVALID_PARAMETER_VALUE")
            }
        }
    }

    @Test func `a chart has few points and the peak among them`() async throws {
        try await World.run { world in
            let run = try await world.run()
            try await log(world, run, count: 9000, peak: 4321)
            let path = "metrics/get-history-bulk-interval?run_ids=\(run)&metric_key=k"
            let all = try await world.get(path + "&max_results=100")
            let found = steps(all)
            #expect(found.count <= 100 && found.count > 40)
            #expect(found.first == 0 && found.last == 8999 && found.contains(4321))
            let part = try await world.get(path + "&start_step=4000&end_step=4400&max_results=20")
            let inside = steps(part)
            #expect(inside.count <= 20 && inside.contains(4321))
            #expect(inside.first == 4000 && inside.last == 4400)
        }
    }
}
