package import AloftDomain

/// `?deployment=NAME&environment=NAME&revision=NUMBER&id=ID&errors=true&slower=MILLISECONDS
/// &since=TIME&until=TIME&before=NEXT&limit=N`, the newest first.
///
/// `environment` is production where only a deployment is named. `revision` needs a deployment. A page
/// may hold fewer than `limit` and still have a `next`.
package enum ListPredictions: Endpoint {
    /// What is kept of all.
    package struct Storage: Codable, Sendable, Equatable {
        package var records: Int64
        package var bytes: Int64
        package var oldestDay: String?
        /// What went by age or size since the server was made.
        package var expiredRecords: Int64

        package init(records: Int64, bytes: Int64, oldestDay: String?, expiredRecords: Int64) {
            self.records = records
            self.bytes = bytes
            self.oldestDay = oldestDay
            self.expiredRecords = expiredRecords
        }
    }

    package struct Reply: Codable, Sendable, Equatable {
        package var predictions: [PredictionItem]
        /// Given back as `before`, it gives the next page; absent on the last one.
        package var next: String?
        package var storage: Storage
        /// Blocks of the log that might have held more and cannot be read; absent where there are none.
        package var damagedBlocks: Int?

        package init(
            predictions: [PredictionItem], next: String?, storage: Storage,
            damagedBlocks: Int? = nil
        ) {
            self.predictions = predictions
            self.next = next
            self.storage = storage
            self.damagedBlocks = damagedBlocks
        }
    }
    package static let action = Action.manage
    package static let method = EndpointMethod.get
    package static let path = "/api/v1/predictions"
    package static let summary =
        "Logged predictions, the newest first; narrowed by deployment, environment, revision, id, "
        + "errors, slower, since, until; paged with before and limit"
}

package enum ShowPrediction: Endpoint {
    package struct Reply: Codable, Sendable, Equatable {
        package var prediction: PredictionItem
        /// `json`, `binary`, `scoring` or `grpc`.
        package var form: String
        package var request: PredictionBody
        package var response: PredictionBody
        package var walk: PredictionWalk

        package init(
            prediction: PredictionItem, form: String, request: PredictionBody,
            response: PredictionBody, walk: PredictionWalk
        ) {
            self.prediction = prediction
            self.form = form
            self.request = request
            self.response = response
            self.walk = walk
        }
    }
    package static let action = Action.manage
    package static let method = EndpointMethod.get
    package static let path = "/api/v1/predictions/{prediction}"
    package static let summary =
        "One prediction: what was asked and answered, and the walk back to its revision, rollout "
        + "step, model version, run, code, environment and data"
}

/// Asks the same again, of any version, without giving that version any traffic.
package enum ReplayPrediction: Endpoint {
    package struct Body: Codable, Sendable, Equatable {
        /// Of the same model; the one that answered where none is named.
        package var version: Int?

        package init(version: Int? = nil) { self.version = version }
    }

    /// The two values that lie furthest apart.
    package struct Difference: Codable, Sendable, Equatable {
        /// Where they are in the answer, as `outputs[0].data[3]`.
        package var place: String
        package var before: String
        package var after: String
        /// |a - b| / max(1, |a|); absent where they are no numbers.
        package var size: Double?

        package init(place: String, before: String, after: String, size: Double?) {
            self.place = place
            self.before = before
            self.after = after
            self.size = size
        }
    }

    package struct Reply: Codable, Sendable, Equatable {
        package var prediction: String
        package var model: String
        /// What answered then, and now.
        package var versionBefore: String
        package var versionAfter: Int
        package var statusBefore: Int
        package var statusAfter: Int
        package var before: PredictionBody
        package var after: PredictionBody
        /// Values compared.
        package var compared: Int
        /// How many of them are not the same.
        package var differing: Int
        /// Absent where all are the same.
        package var largest: Difference?
        /// Whether both answers are the same, value by value.
        package var isEqual: Bool
        /// Why they were not compared, in words; absent where they were.
        package var notCompared: String?

        package init(
            prediction: String, model: String, versionBefore: String, versionAfter: Int,
            statusBefore: Int, statusAfter: Int, before: PredictionBody, after: PredictionBody,
            compared: Int, differing: Int, largest: Difference?, isEqual: Bool,
            notCompared: String? = nil
        ) {
            self.prediction = prediction
            self.model = model
            self.versionBefore = versionBefore
            self.versionAfter = versionAfter
            self.statusBefore = statusBefore
            self.statusAfter = statusAfter
            self.before = before
            self.after = after
            self.compared = compared
            self.differing = differing
            self.largest = largest
            self.isEqual = isEqual
            self.notCompared = notCompared
        }
    }
    package static let action = Action.manage
    package static let method = EndpointMethod.post
    package static let path = "/api/v1/predictions/{prediction}/replay"
    package static let summary =
        "Ask the same again, of any version of the model, and compare both answers"
}

/// A piece of a gateway's prediction log: `POST` whole blocks of a segment, as
/// `application/octet-stream`. An empty body only asks. Doing it again changes nothing.
package enum ShipPredictions {
    package static let path =
        "/api/v1/gateways/{gateway}/predictions/{log}/{segment}/{offset}"

    package struct Reply: Codable, Sendable, Equatable {
        /// Where the gateway goes on in the segment.
        package var nextOffset: Int64

        package init(nextOffset: Int64) { self.nextOffset = nextOffset }
    }
}
