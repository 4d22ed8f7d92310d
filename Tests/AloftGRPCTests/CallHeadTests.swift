import AloftDomain
import AloftGateway
import NIOCore
import NIOHPACK
import Testing

@testable import AloftGRPC

/// What a call's headers say, and what is refused by them alone.
@Suite struct CallHeadTests {
    private func head(
        _ more: (String, String)..., path: String = "/inference.GRPCInferenceService/ModelInfer",
        type: String = "application/grpc"
    ) throws(Status) -> CallHead {
        var headers = HPACKHeaders([
            (":method", "POST"), (":path", path), ("content-type", type),
        ])
        for (name, value) in more { headers.add(name: name, value: value) }
        return try CallHead(headers, receivedAt: .now(), place: nil)
    }

    @Test(arguments: [
        "ServerLive", "ServerReady", "ServerMetadata", "ModelReady", "ModelMetadata", "ModelConfig",
        "ModelStatistics", "ModelInfer", "ModelStreamInfer", "RepositoryIndex",
        "RepositoryModelLoad", "RepositoryModelUnload",
    ])
    func `every method of the service is known by its path`(name: String) throws {
        let head = try head(path: "/inference.GRPCInferenceService/" + name)
        #expect(head.method.rawValue == name)
        #expect(head.method.isPublic == ["ServerLive", "ServerReady"].contains(name))
    }

    @Test(arguments: [
        "", "/", "ModelInfer", "/inference.GRPCInferenceService/",
        "/inference.GRPCInferenceService/modelInfer", "/inference.GRPCInferenceService/ModelInfer/",
        "/inference.GRPCInferenceService/ModelInfer\u{301}", "/grpc.health.v1.Health/Check",
        "/inference.GRPCInferenceService\u{301}/ModelInfer",
    ])
    func `a path that is none is not served`(path: String) {
        let status = #expect(throws: Status.self) { try head(path: path) }
        #expect(status?.code == .unimplemented)
    }

    @Test func `a long path is not repeated whole`() {
        let status = #expect(throws: Status.self) {
            try head(path: "/" + String(repeating: "x", count: 10_000))
        }
        #expect((status?.message.utf8.count ?? 0) < 300)
    }

    @Test(arguments: ["application/grpc", "application/grpc+proto", "application/grpc; a=b"])
    func `types of gRPC are taken`(type: String) throws {
        #expect(try head(type: type).isCompressed == false)
    }

    @Test(arguments: ["", "application/json", "text/html", "grpc"])
    func `another type is refused`(type: String) {
        let status = #expect(throws: Status.self) { try head(type: type) }
        #expect(status?.code == .internal)
    }

    @Test func `codings that are read are said where another comes`() throws {
        #expect(try head(("grpc-encoding", "gzip")).isCompressed)
        #expect(try head(("grpc-encoding", "deflate")).isCompressed)
        #expect(try !head(("grpc-encoding", "identity")).isCompressed)
        let status = #expect(throws: Status.self) { try head(("grpc-encoding", "snappy")) }
        #expect(status?.code == .unimplemented)
        #expect(status?.message.contains("identity, gzip and deflate") == true)
    }

    @Test func `token, key and trace are the first that come`() throws {
        let trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
        let facts = try head(
            ("authorization", "Bearer one"), ("authorization", "Bearer two"),
            ("x-aloft-sticky-key", "k"), ("traceparent", trace), ("x-more", "m")
        ).facts
        #expect(facts.token == "one")
        #expect(facts.stickyKey == "k")
        #expect(facts.trace != nil)
        #expect(facts.header("x-more") == "m")
        #expect(facts.header("x-less") == nil)
    }

    @Test(arguments: ["one", "Basic one", "Bearer", ""])
    func `what is no bearer is no token`(text: String) throws {
        #expect(try head(("authorization", text)).facts.token == nil)
    }

    @Test(arguments: [
        ("1H", 3_600_000), ("2M", 120_000), ("2S", 2000), ("250m", 250), ("1500u", 1),
        ("999n", 1), ("0S", 1), ("99999999H", 86_400_000), ("00000001S", 1000),
    ])
    func `a timeout is read in every unit, from a millisecond to a day`(
        text: String, milliseconds: Int
    ) throws {
        #expect(try CallHead.milliseconds(text) == milliseconds)
    }

    @Test(arguments: ["", "S", "5", "5s", "-1S", "1.5S", "123456789S", "1S\u{301}", "\u{661}S"])
    func `a timeout that is none is refused`(text: String) {
        let status = #expect(throws: Status.self) { try CallHead.milliseconds(text) }
        #expect(status?.code == .invalidArgument)
    }
}
