import Testing

@testable import AloftDomain

struct CheckExpressionTests {
    @Test func `a bound is a number, a duration, a percentage or another version's metric`() throws
    {
        let auc = try CheckExpression("val_auc >= 0.65")
        #expect(
            auc.metric == "val_auc" && auc.comparison == .atLeast && auc.bound == .constant(0.65))
        #expect(try CheckExpression("parity<=1e-4").bound == .constant(1e-4))
        let latency = try CheckExpression("latency_p99 <= 10ms")
        #expect(latency.bound == .constant(0.01) && latency.unit == .seconds)
        #expect(latency.latencyFraction == 0.99)
        let rate = try CheckExpression("error_rate > 1%")
        #expect(rate.bound == .constant(0.01) && rate.unit == .fraction)
        let other = try CheckExpression("val_auc >= production.val_auc - 0.002")
        #expect(
            other.bound
                == .other(environment: "production", metric: "val_auc", .plus(-0.002)))
        #expect(
            try CheckExpression("loss < production.loss*1.05").bound
                == .other(environment: "production", metric: "loss", .times(1.05)))
        #expect(try CheckExpression("`val auc-2` > -1").metric == "val auc-2")
        #expect(try CheckExpression("val/auc == 1").metric == "val/auc")
    }

    @Test(arguments: [
        "", "val_auc", "val_auc >=", "val_auc >= high", ">= 1", "val_auc >= 1 2", "val_auc = 1",
        "a >= production.", "a >= .b", "`a >= 1", "`` >= 1", "a >= production.a /2", "a >= 1x",
        "a >= nan", "a >= 0x10", "latency_p99 <= 3", "a >= production.a - -", "1 >= a", "a >= 1%%",
    ])
    func `what is no check is refused`(text: String) {
        #expect(throws: CheckExpression.Malformed.self) { try CheckExpression(text) }
    }

    @Test func `a verdict carries both numbers`() throws {
        let check = try CheckExpression("val_auc >= production.val_auc - 0.002")
        let values = ["": 0.7, "production": 0.71]
        let verdict = check.verdict { _, environment in values[environment ?? ""] }
        guard case .failed(let left, let right) = verdict else {
            Issue.record("\(verdict)")
            return
        }
        #expect(left == 0.7 && abs(right - 0.708) < 1e-12)
        #expect(
            check.description(of: verdict)
                == "val_auc >= production.val_auc - 0.002 does not hold: 0.7 against 0.708")
        #expect(
            check.verdict { _, environment in environment == nil ? 0.7 : nil }
                == .unknown(metric: "val_auc", environment: "production"))
        #expect(!check.verdict { _, _ in .nan }.hasHeld)
    }

    @Test func `values are shown in the expression's unit`() throws {
        #expect(try CheckExpression("latency_p99 <= 10ms").shown(0.0124) == "12.4ms")
        #expect(try CheckExpression("latency_p99 <= 10ms").shown(2) == "2s")
        #expect(try CheckExpression("error_rate > 1%").shown(0.02) == "2%")
    }
}
