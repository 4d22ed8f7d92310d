import AloftArtifacts
import AloftDomain
import AloftStore
import HTTPTypes

/// What the protocol's clients read of an error: its name decides what they do.
struct ProtocolError: Error, Equatable {
    typealias Name = MLflowErrorName

    let name: Name
    let message: String
    /// Where it is not the one that goes with the name.
    private let otherStatus: HTTPResponse.Status?

    init(_ name: Name, _ message: String, status: HTTPResponse.Status? = nil) {
        self.name = name
        self.message = message
        otherStatus = status
    }

    static func invalid(_ message: String) -> Self { Self(.invalidParameterValue, message) }

    static func missing(_ field: String) -> Self {
        .invalid("Missing value for required parameter '\(field)'.")
    }

    static func invalidValue(_ value: String, _ field: String) -> Self {
        .invalid("Invalid value \(value) for parameter '\(field)' supplied.")
    }

    /// Well-formed, but nothing here can be made of it. Clients of OpenTelemetry tell it by the status.
    static func unprocessable(_ message: String) -> Self {
        Self(.invalidParameterValue, message, status: .unprocessableContent)
    }

    static func tooLong(_ field: String, limit: Int) -> Self {
        .invalid("'\(field)' exceeds the maximum length of \(limit) characters")
    }

    var status: HTTPResponse.Status { otherStatus ?? .init(code: name.http) }

    /// `nil` for an error that nobody expected.
    init?(_ error: any Error) {
        switch error {
        case let error as ProtocolError: self = error
        case let error as TrackingError:
            if case .experimentExists = error {
                self.init(.resourceAlreadyExists, error.message)
            } else {
                self.init(error.kind.wire.mlflow, error.message)
            }
        case let error as RegistryError:
            switch error {
            case .modelExists, .promptExists, .nameTaken:
                self.init(.resourceAlreadyExists, error.message)
            case .aliasNotFound, .invalidSource:
                self.init(.invalidParameterValue, error.message)
            case .nameOfOther: self.init(.permissionDenied, error.message)
            case .modelNotFound, .versionNotFound: self.init(.resourceDoesNotExist, error.message)
            }
        // Clients compare the words.
        case ArtifactError.invalidPath: self.init(.invalidParameterValue, "Invalid path")
        case let error as any Refusal: self.init(error.kind.wire.mlflow, error.message)
        default: return nil
        }
    }
}
