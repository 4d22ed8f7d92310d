import AloftDomain
import AloftWire
import Foundation
import Testing

@testable import AloftGateway

/// Casts on the way in, and what is held against a candidate that refuses.
@Suite struct ContestedRefusalTests {
    private typealias Tensor = ServableManifest.Tensor

    private static func body(_ name: String, _ datatype: String, _ data: String) -> String {
        #"{"inputs":[{"name":"\#(name)","shape":[1,2],"datatype":"\#(datatype)","data":\#(data)}]}"#
    }

    @Test func `clients send what the signature says and are told so`() async throws {
        let columns = ["a", "b"].map { Tensor(name: $0, datatype: "FP64", shape: [-1, 1]) }
        let manifest = ServableManifest(
            runtime: .onnx, inputs: [Tensor(name: "x", datatype: "FP32", shape: [-1, 2])],
            outputs: [], publicInputs: columns, columns: ["a", "b"])
        let state = States.state(
            1, [try States.revision(1, "constant-1.onnx", weight: 100, manifest: manifest)])
        try await GatewayWorld.run(
            state, folder: try States.folder(with: ["constant-1.onnx"])
        ) { world in
            try await world.waitUntilReady()
            let told = try await world.get("/v2/models/demo").body
            #expect(
                told.contains(
                    #""inputs":[{"name":"a","datatype":"FP64","shape":[-1,1]},{"name":"b","#))
            let path = "/v2/models/demo/infer"
            let byColumn =
                #"{"inputs":[{"name":"b","shape":[1,1],"datatype":"FP64","data":[0.1]},"#
                + #"{"name":"a","shape":[1,1],"datatype":"FP32","data":[2]}]}"#
            #expect(try await world.post(path, byColumn).status == 200)
            #expect(try await world.post(path, Self.body("x", "FP32", "[1,2]")).status == 200)
            #expect(try await world.post(path, Self.body("x", "FP64", "[0.1,2]")).status == 200)
            let huge = try await world.post(path, Self.body("x", "FP64", "[1e300,2]"))
            #expect(huge.status == 400 && huge.body.contains("beyond what the model is run with"))
        }
    }

    @Test func `only what the other revision takes is held against the one that refuses`()
        async throws
    {
        let state = States.state(
            1,
            [
                try States.revision(1, "constant-1.onnx", weight: 50),
                try States.revision(2, "cancer-logreg.onnx", weight: 50),
            ])
        let reports = Reports()
        try await GatewayWorld.run(
            state, folder: try States.folder(with: ["constant-1.onnx", "cancer-logreg.onnx"]),
            adjust: { $0.bodyLimitBytes = 4 << 20 }
        ) { world in
            try await world.waitUntilReady("demo", versions: [1, 2])
            let path = "/v2/models/demo/infer"
            for _ in 0..<40 {
                reports.note(try await world.post(path, Self.body("x", "FP32", "[1,2]")).status)
                #expect(try await world.post(path, Self.body("q", "FP32", "[1,2]")).status == 400)
                // Who asks for a version by its number is not chosen by chance.
                let asked = try await world.post(
                    "/v2/models/demo/versions/2/infer", Self.body("x", "FP32", "[1,2]"))
                #expect(asked.status == 400)
            }
            let refused = reports.count(400)
            #expect(refused > 0 && refused + reports.count(200) == 40)
            let contested = try await world.get("/metrics").body.split(separator: "\n").filter {
                $0.contains("aloft_gateway_contested_refusals_total{")
            }
            #expect(contested.count == 2)
            #expect(
                contested.first { $0.contains(#"revision="2""#) }?.hasSuffix(" \(refused)") == true)
            #expect(contested.first { $0.contains(#"revision="1""#) }?.hasSuffix(" 0") == true)
        }
    }
}

/// Statuses, counted.
private final class Reports: @unchecked Sendable {
    private let lock = NSLock()
    private var counts: [Int: Int] = [:]

    func note(_ status: Int) { lock.withLock { counts[status, default: 0] += 1 } }
    func count(_ status: Int) -> Int { lock.withLock { counts[status] ?? 0 } }
}
