import AloftControl
import AloftDomain
import AloftStore
import AloftTestKit
import AloftWire
import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import Logging
import NIOCore
import Testing

@testable import AloftAPI

struct PredictionRoutesTests {
    private func makeWorld(
        ask: PredictionReplay.Ask? = nil
    ) throws -> APIWorld {
        let world = try APIWorld()
        let folder = world.temporary.folder.path + "/predictions"
        var routes = APIRoutes(router: world.router, store: world.store)
        PredictionRoutes(
            store: world.store, finder: PredictionFinder(store: world.store, folder: folder),
            ask: ask, time: world.time.source
        ).add(to: &routes)
        ShippingRoutes(
            archive: PredictionArchive(
                store: world.store, folder: folder, time: world.time.source,
                logger: Logger(label: "test"))
        ).add(to: &routes)
        TryRoutes(ask: nil).add(to: &routes)
        return world
    }

    private func ship(
        _ fixtures: [PredictionFixture], to world: APIWorld, place: String = "g/abc/1/0"
    ) async throws -> Int {
        let words = place.split(separator: "/")
        let path =
            "/api/v1/gateways/\(words[0])/predictions/" + words.dropFirst().joined(separator: "/")
        return try await Application(router: world.router).test(.router) { client in
            try await client.execute(
                uri: path, method: .post,
                body: ByteBuffer(bytes: PredictionFixture.block(fixtures))
            ) { $0.status.code }
        }
    }

    @Test func `what a gateway ships is listed and shown`() async throws {
        let world = try makeWorld()
        var failed = PredictionFixture(sequence: 2, milliseconds: 1_700_000_000_500)
        failed.status = 500
        let good = PredictionFixture(sequence: 1)
        for _ in 0..<2 { #expect(try await ship([good, failed], to: world) == 200) }

        let list = try await world.call(.get, "/api/v1/predictions")
        let reply = try JSONDecoder().decode(
            ListPredictions.Reply.self, from: Data(list.text.utf8))
        #expect(reply.predictions.map(\.id) == [failed.id.text, good.id.text])
        #expect(reply.storage.records == 2)
        let errors = try await world.call(.get, "/api/v1/predictions?errors=true")
        #expect(errors.text.contains(failed.id.text))
        #expect(!errors.text.contains(good.id.text))
        let byID = try await world.call(.get, "/api/v1/predictions?id=\(good.id.text)")
        #expect(byID.text.contains(good.id.text))

        let shown = try await world.call(.get, "/api/v1/predictions/\(good.id.text)")
        let page = try JSONDecoder().decode(
            ShowPrediction.Reply.self, from: Data(shown.text.utf8))
        #expect(page.request.text == good.request)
        #expect(page.prediction.status == 200)
        #expect(page.walk == PredictionWalk())
    }

    @Test(arguments: [
        ("/api/v1/predictions/abc", 400, "prediction_id_invalid"),
        ("/api/v1/predictions/0000000000000001000000000001", 404, "prediction_not_found"),
        ("/api/v1/predictions?before=x", 400, "cursor_invalid"),
        ("/api/v1/predictions?since=yesterday", 400, "time_invalid"),
        ("/api/v1/predictions?limit=0", 400, "query_invalid"),
        ("/api/v1/predictions?deployment=none", 404, "deployment_not_found"),
    ])
    func `a wrong question is refused with its reason`(
        path: String, status: Int, code: String
    ) async throws {
        let answer = try await makeWorld().call(.get, path)
        #expect(answer.status == status)
        #expect(answer.code == code)
    }

    @Test func `only gateways and people ship, and only logs`() async throws {
        let world = try makeWorld()
        let path = "/api/v1/gateways/g/predictions/abc/1/0"
        #expect(try await world.call(.post, path, body: "no log").code == "prediction_log_damaged")
        #expect(
            try await world.call(.post, "/api/v1/gateways/g/predictions/abc/x/0").code
                == "prediction_log_place_invalid")
        let secret = try await world.makeToken(.job, name: "j")
        let refused = try await world.call(.post, path, authorization: "Bearer \(secret)")
        #expect(refused.status == 403)
        let asked = try await world.call(.post, path)
        #expect(asked.text.contains(#""nextOffset":0"#))
    }

    @Test func `a prediction is asked again, of the version that is named`() async throws {
        let world = try makeWorld { question, _ in
            #expect(question.version.model == "m")
            let answer =
                question.version.version == 1
                ? #"{"outputs":[{"data":[1]}]}"# : #"{"outputs":[{"data":[3]}]}"#
            return TryRoutes.Answer(status: 200, body: Data(answer.utf8))
        }
        var fixture = PredictionFixture(sequence: 1)
        fixture.response = #"{"outputs":[{"data":[1]}]}"#
        #expect(try await ship([fixture], to: world) == 200)
        let path = "/api/v1/predictions/\(fixture.id.text)/replay"
        let same = try await world.call(.post, path, body: "{}")
        #expect(same.text.contains(#""isEqual":true"#))
        let other = try await world.call(.post, path, body: #"{"version":2}"#)
        let reply = try JSONDecoder().decode(
            ReplayPrediction.Reply.self, from: Data(other.text.utf8))
        #expect(reply.largest?.size == 2)
        #expect(reply.versionAfter == 2)
    }

    /// An answer over gRPC with one INT64, in bytes that are text too.
    private static func message(_ value: UInt8) -> String {
        String(
            decoding: [42, 18, 10, 1, 121, 18, 5] + Array("INT64".utf8)
                + [26, 1, 1, 42, 3, 26, 1, value], as: UTF8.self)
    }

    private func makeGRPCFixture() -> PredictionFixture {
        var fixture = PredictionFixture(sequence: 1)
        fixture.form = .grpc
        fixture.request = Self.message(4)
        fixture.response = Self.message(1)
        return fixture
    }

    @Test func `what came over gRPC is shown as JSON and asked again as it came`() async throws {
        let world = try makeWorld { question, _ in
            #expect(question.contentType == "application/x-protobuf")
            #expect(question.body == Data(Self.message(4).utf8))
            return TryRoutes.Answer(
                status: 200, body: Data(Self.message(UInt8(question.version.version)).utf8))
        }
        let fixture = makeGRPCFixture()
        #expect(try await ship([fixture], to: world) == 200)
        let path = "/api/v1/predictions/\(fixture.id.text)"
        let shown = try JSONDecoder().decode(
            ShowPrediction.Reply.self, from: Data(try await world.call(.get, path).text.utf8))
        #expect(
            shown.response.text
                == #"{"outputs":[{"name":"y","datatype":"INT64","shape":[1],"data":[1]}]}"#)
        #expect(shown.response.sizeBytes == fixture.response.utf8.count)
        let same = try await world.call(.post, path + "/replay", body: "{}")
        #expect(same.text.contains(#""isEqual":true"#))
        let other = try await world.call(.post, path + "/replay", body: #"{"version":2}"#)
        let reply = try JSONDecoder().decode(
            ReplayPrediction.Reply.self, from: Data(other.text.utf8))
        #expect(reply.largest?.place == "outputs[0].data[0]")
        #expect(reply.largest?.size == 1)
    }

    @Test func `what was cut is not asked again or not compared, and says so`() async throws {
        let world = try makeWorld { _, _ in
            TryRoutes.Answer(status: 200, body: Data(Self.message(1).utf8))
        }
        var asked = makeGRPCFixture()
        asked.uncutRequestBytes = 1000
        var answered = makeGRPCFixture()
        answered.id.sequence = 2
        answered.uncutResponseBytes = 2000
        #expect(try await ship([asked, answered], to: world) == 200)
        func replay(_ fixture: PredictionFixture) async throws -> (code: String?, text: String) {
            let answer = try await world.call(
                .post, "/api/v1/predictions/\(fixture.id.text)/replay", body: "{}")
            return (answer.code, answer.text)
        }
        let refused = try await replay(asked)
        #expect(refused.code == "prediction_not_replayable")
        #expect(refused.text.contains("of its 1000 bytes were logged"))
        let compared = try JSONDecoder().decode(
            ReplayPrediction.Reply.self, from: Data(try await replay(answered).text.utf8))
        #expect(compared.notCompared?.contains("of the 2000 bytes") == true)
        #expect(!compared.isEqual)
        #expect(compared.compared == 0)
    }

    @Test func `replay without a gateway says so`() async throws {
        let world = try makeWorld()
        let fixture = PredictionFixture(sequence: 1)
        #expect(try await ship([fixture], to: world) == 200)
        let answer = try await world.call(
            .post, "/api/v1/predictions/\(fixture.id.text)/replay", body: "{}")
        #expect(answer.code == "gateway_missing")
    }

    @Test func `the document describes every type of predictions whole`() {
        let document = OpenAPIDocument(endpoints: [
            EndpointDescription(ListPredictions.self), EndpointDescription(ShowPrediction.self),
            EndpointDescription(ReplayPrediction.self),
        ])
        #expect(document.incomplete.isEmpty)
    }
}
