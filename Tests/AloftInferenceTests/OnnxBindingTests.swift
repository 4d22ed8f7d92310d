import AloftInference
import AloftTestKit
import Testing

/// Small models that are asked often run on memory that is kept: nobody may see that.
@Suite struct OnnxBindingTests {
    private func body(_ rows: [[Double]]) -> String {
        let data = rows.joined().map { "\($0)" }.joined(separator: ",")
        return
            #"{"inputs":[{"name":"X","shape":[\#(rows.count),30],"datatype":"FP32","data":[\#(data)]}]}"#
    }

    /// The first calls of a session go the plain way.
    @Test(arguments: ["logreg", "mlp", "gbdt"])
    func `answers stay the same however often and in whatever shapes a model is asked`(
        name: String
    ) throws {
        let fixture = try CancerFixture.load()
        let asked = try makeSession("cancer-\(name).onnx")
        let shapes = [1, 3, 1, 2, 1]
        func bodies() -> [String] {
            shapes.enumerated().map { index, count in
                body((0..<count).map { fixture.rows[(index * 7 + $0) % fixture.rows.count] })
            }
        }
        let plain = try makeSession("cancer-\(name).onnx")
        let expected = try bodies().map { try infer($0, plain) }
        for _ in 0..<1500 {
            for (body, answer) in zip(bodies(), expected) {
                #expect(try infer(body, asked) == answer)
            }
        }
    }

    @Test func `a model whose output is a constant gives it after many calls`() throws {
        let session = try makeSession("constant-1.onnx")
        let body = #"{"inputs":[{"name":"x","shape":[1,2],"datatype":"FP32","data":[3,4]}]}"#
        let expected = try infer(body, session)
        for _ in 0..<2500 { #expect(try infer(body, session) == expected) }
    }

    @Test func `threads that ask different rows get their own answers`() async throws {
        let fixture = try CancerFixture.load()
        let session = try makeSession("cancer-logreg.onnx")
        let bodies = fixture.rows.prefix(12).map { body([$0]) }
        let expected = try bodies.map { try infer($0, session) }
        try await withThrowingTaskGroup(of: Bool.self) { group in
            for (body, answer) in zip(bodies, expected) {
                group.addTask {
                    for _ in 0..<1500 where try infer(body, session) != answer { return false }
                    return true
                }
            }
            for try await isSame in group { #expect(isSame) }
        }
    }
}
