package import AloftControl
import AloftDomain
import AloftWire
import Foundation
import Hummingbird
import NIOCore

/// What gateways send of their prediction logs.
package struct ShippingRoutes: Sendable {
    private let archive: PredictionArchive

    private static let bodyLimit = 64 << 20

    package init(archive: PredictionArchive) { self.archive = archive }

    package func add(to routes: inout APIRoutes) {
        routes.raw(.post, ShipPredictions.path, .follow) { request, context in
            var delivery = try Self.place(context)
            do {
                let buffer = try await request.body.collect(upTo: Self.bodyLimit)
                delivery.bytes = Data(buffer.readableBytesView)
            } catch is NIOTooManyBytesError {
                throw BodyError.tooLarge(limitBytes: Self.bodyLimit)
            }
            let next = try await archive.take(delivery)
            return ErrorResponse.json(ShipPredictions.Reply(nextOffset: next), status: .ok)
        }
    }

    private static func place(_ context: AloftRequestContext) throws -> PredictionDelivery {
        func text(_ name: String) throws -> String {
            let text = context.parameters.get(name) ?? ""
            let isPlain = text.utf8.allSatisfy {
                (48...57).contains($0) || (97...122).contains($0) || (65...90).contains($0)
                    || $0 == 45
            }
            guard (1...100).contains(text.utf8.count), isPlain else {
                throw PredictionError.invalidPlace(text)
            }
            return text
        }
        func number(_ name: String) throws -> Int64 {
            let text = try text(name)
            guard let number = Int64(text), number >= 0, number < 1 << 48 else {
                throw PredictionError.invalidPlace(text)
            }
            return number
        }
        return PredictionDelivery(
            gateway: GatewayID(try text("gateway")), log: try text("log"),
            segment: try number("segment"), offset: try number("offset"), bytes: Data())
    }
}
