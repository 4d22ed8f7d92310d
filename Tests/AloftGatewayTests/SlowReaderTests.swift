import AloftDomain
import AloftTestKit
import Foundation
import Testing

@testable import AloftGateway

/// Replies go straight to the socket while it takes them, and by way of the library where it is full.
@Suite struct SlowReaderTests {
    /// More than the kernel holds of a connection, both ways; less than the gateway keeps of answers for
    /// one client, behind which it would read no more (16 MiB).
    private static let count = 6000

    private static func request(_ number: Int) -> String {
        let id = "\(number)-" + String(repeating: "x", count: 2000)
        let body =
            #"{"id":"\#(id)","inputs":[{"name":"x","shape":[1,2],"datatype":"FP32","data":[1,2]}]}"#
        return "POST /v2/models/demo/infer HTTP/1.1\r\nhost: x\r\n"
            + "content-length: \(body.utf8.count)\r\n\r\n" + body
    }

    @Test(arguments: [false, true])
    func `a client that asks much before it reads gets every answer in order`(
        endsWriting: Bool
    ) async throws {
        let name = "constant-1.onnx"
        let state = States.state(1, [try States.revision(1, name, weight: 100)])
        try await GatewayWorld.run(state, folder: try States.folder(with: [name])) { world in
            try await world.waitUntilReady()
            let address = world.address
            try await RawConnection.offPool {
                let connection = try RawConnection(address)
                for number in 0..<Self.count { try connection.write(Self.request(number)) }
                if endsWriting { connection.endWriting() }
                for number in 0..<Self.count {
                    let reply = try connection.readReply()
                    #expect(reply.status == 200)
                    #expect(reply.body.contains("\"id\":\"\(number)-x"), "\(number)")
                }
            }
        }
    }

    @Test func `a client that goes without reading leaves nothing behind`() async throws {
        let name = "constant-1.onnx"
        let state = States.state(1, [try States.revision(1, name, weight: 100)])
        try await GatewayWorld.run(state, folder: try States.folder(with: [name])) { world in
            try await world.waitUntilReady()
            let address = world.address
            for _ in 0..<20 {
                try await RawConnection.offPool {
                    let connection = try RawConnection(address)
                    for number in 0..<200 { try connection.write(Self.request(number)) }
                }
                let reply = try await world.post("/v2/models/demo/infer", States.constantBody)
                #expect(reply.status == 200)
            }
        }
    }
}
