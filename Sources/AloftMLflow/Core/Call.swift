import AloftDomain
import AloftStore
import Foundation
import HTTPTypes
import Hummingbird
import Logging
import NIOCore

/// One call of the protocol, decoded.
struct Call: Sendable {
    let fields: Fields
    let principal: Principal
    let bearer: Bearer
    /// The parts of the path, by name.
    // text: names of our own routes
    let parameters: [String: String]

    func parameter(_ name: String) -> String { parameters[name] ?? "" }

    /// The project of what the caller makes.
    var project: ProjectID { AccessQueries.project(bearer) }

    /// The project whose things a job may list; `nil` for everybody else.
    var narrowedProject: ProjectID? {
        if case .job(_, let project) = bearer { project } else { nil }
    }
}

/// Registers calls under both prefixes, asks whether the caller may, decodes them, and answers errors as
/// clients read them.
struct CallRouter<Context: RequestContext & PrincipalBearing & CallerWatching> {
    let router: Router<Context>
    let access: AccessGuard
    let declared: DeclaredActions
    /// Reads bodies, large ones in turn.
    var bodies = LargeBodies()
    /// Of the protocol: most calls are of version 2.0, those of traces also of 3.0.
    var version = "2.0"

    typealias Handler = nonisolated(nonsending) @Sendable (Call) async throws -> [UInt8]
    typealias RawHandler =
        nonisolated(nonsending) @Sendable (Request, Context) async throws -> Response

    func get(
        _ path: String, _ action: Action, of subject: @escaping Subject,
        _ handler: @escaping Handler
    ) { on(.get, path, action, subject, handler) }

    func post(
        _ path: String, _ action: Action, of subject: @escaping Subject,
        _ handler: @escaping Handler
    ) { on(.post, path, action, subject, handler) }

    func postLarge(
        _ path: String, _ action: Action, of subject: @escaping Subject,
        _ handler: @escaping Handler
    ) { on(.post, path, action, subject, limit: MLflowBody.largeLimit, handler) }

    func getSearch(
        _ path: String, _ action: Action, of subject: @escaping Subject,
        _ handler: @escaping Handler
    ) { onSearch(.get, path, action, subject, handler) }

    func postSearch(
        _ path: String, _ action: Action, of subject: @escaping Subject,
        _ handler: @escaping Handler
    ) { onSearch(.post, path, action, subject, handler) }

    func patch(
        _ path: String, _ action: Action, of subject: @escaping Subject,
        _ handler: @escaping Handler
    ) { on(.patch, path, action, subject, handler) }

    func delete(
        _ path: String, _ action: Action, of subject: @escaping Subject,
        _ handler: @escaping Handler
    ) { on(.delete, path, action, subject, handler) }

    /// The same calls under another version.
    func version(_ version: String) -> Self {
        var other = self
        other.version = version
        return other
    }

    /// - Parameter path: after `/api/2.0/mlflow/`, or after `/` if it starts with a slash.
    private func on(
        _ method: HTTPRequest.Method, _ path: String, _ action: Action,
        _ subject: @escaping Subject, limit: Int = MLflowBody.limit, _ handler: @escaping Handler
    ) {
        let (access, bodies) = (access, bodies)
        raw(method, path, action) { request, context in
            let call = try await Self.call(request, context, bodies, limit: limit)
            try await access.check(context.bearer, action) { try subject($0, call) }
            return MLflowBody.json(try await handler(call))
        }
    }

    /// As `on` for what may take seconds: it ends when the client goes away.
    private func onSearch(
        _ method: HTTPRequest.Method, _ path: String, _ action: Action,
        _ subject: @escaping Subject, _ handler: @escaping Handler
    ) {
        let (access, bodies) = (access, bodies)
        raw(method, path, action) { request, context in
            let call = try await Self.call(request, context, bodies, limit: MLflowBody.limit)
            try await access.check(context.bearer, action) { try subject($0, call) }
            return try await LongCall.answer(context) { try await handler(call) }
        }
    }

    nonisolated(nonsending) private static func call(
        _ request: Request, _ context: Context, _ bodies: LargeBodies, limit: Int
    ) async throws -> Call {
        let fields =
            request.method == .get || request.method == .head
            ? QueryText.fields(request) : try await bodies.fields(request, limit: limit)
        // text: names of our own routes
        var parameters: [String: String] = [:]
        for (name, value) in context.parameters {
            let value = decoded(value)
            guard !value.utf8.contains(0) else {
                throw ProtocolError.invalid("The address holds the character U+0000 (NUL).")
            }
            parameters[String(name)] = value
        }
        return Call(
            fields: fields, principal: context.principal, bearer: context.bearer,
            parameters: parameters)
    }

    /// As above for calls that read the body or write the answer themselves.
    ///
    /// - Parameter subject: what the address names; `nil` where the handler asks `access` itself, since
    ///   only the body says it.
    func raw(
        _ method: HTTPRequest.Method, _ path: String, _ action: Action,
        of subject: (@Sendable (AccessQueries, Request, Context) throws -> [Claim])? = nil,
        _ handler: @escaping RawHandler
    ) {
        let paths =
            path.begins(with: "/")
            ? [path]
            : ["/api/\(version)/mlflow/" + path, "/ajax-api/\(version)/mlflow/" + path]
        let access = access
        for path in paths {
            declared.note(method, path, action)
            router.on(RouterPath(path), method: method) { request, context in
                do {
                    if let subject {
                        try await access.check(context.bearer, action) {
                            try subject($0, request, context)
                        }
                    }
                    return try await handler(request, context)
                } catch let error as CancellationError {
                    throw error
                } catch {
                    return Self.failure(error, request: request, context: context)
                }
            }
        }
    }

    static func failure(_ error: any Error, request: Request, context: Context) -> Response {
        if error is NIOTooManyBytesError {
            return answer(.invalid("The request body is too large."))
        }
        if let known = ProtocolError(error) { return answer(known) }
        context.logger.error(
            "tracking call failed",
            metadata: ["path": "\(request.uri.path)", "error": "\(error)"])
        return answer(ProtocolError(.internalError, "The server failed; its log says why."))
    }

    private static func answer(_ error: ProtocolError) -> Response {
        let bytes = JSONWriter.document { writer in
            writer.member("error_code", error.name.rawValue)
            writer.member("message", error.message)
        }
        return MLflowBody.json(bytes, status: error.status)
    }

    private static func decoded(_ value: Substring) -> String {
        value.removingPercentEncoding ?? String(value)
    }
}

extension HTTPField.Name {
    static var xContentTypeOptions: Self { HTTPField.Name("X-Content-Type-Options") ?? .server }
}

/// Query strings as forms write them: `+` is a space.
enum QueryText {
    static func fields(_ request: Request) -> Fields {
        // text: looked up by our own names
        var values: [String: [JSONValue]] = [:]
        for (name, value) in pairs(request.uri.query ?? "") {
            values[name, default: []].append(.string(value))
        }
        let members = values.mapValues { $0.count == 1 ? $0[0] : .array($0) }
        return Fields(members, isQuery: true)
    }

    static func pairs(_ query: String) -> [(name: String, value: String)] {
        query.pieces(at: "&").map { part in
            let halves = part.pieces(at: "=", most: 2, keepingEmpty: true)
            return (decoded(halves[0]), halves.count > 1 ? decoded(halves[1]) : "")
        }
    }

    private static func decoded(_ text: Substring) -> String {
        let spaced = String(text).replacing(scalar: "+", with: " ")
        return spaced.removingPercentEncoding ?? spaced
    }
}

/// Bodies in and out.
enum MLflowBody {
    /// Bodies are documents, not files.
    static let limit = 8 << 20
    /// Of what holds whole schemas, models or traces.
    static let largeLimit = 32 << 20

    nonisolated(nonsending) static func collect(_ request: Request, limit: Int = limit) async throws
        -> ByteBuffer
    {
        let buffer = try await request.body.collect(upTo: limit)
        guard buffer.readableBytes > 0 else { return buffer }
        let type = request.headers[.contentType] ?? ""
        if type == "application/json" { return buffer }
        let media = type.pieces(at: ";").first.map { $0.trimmingCharacters(in: .whitespaces) }
        guard media?.lowercased() == "application/json" else {
            throw ProtocolError.invalid(
                "Bad Request. Content-Type must be application/json, got '\(type.prefix(100))'.")
        }
        return buffer
    }

    static func fields(_ buffer: ByteBuffer) throws -> Fields {
        guard buffer.readableBytes > 0 else { return Fields([:]) }
        do {
            var value = try buffer.withUnsafeReadableBytes { bytes throws(JSONReader.Fault) in
                try JSONReader.read(bytes)
            }
            // Clients of old write the object as a text.
            if case .string(let text) = value { value = try JSONReader.read(text: text) }
            guard case .object(let members) = value else {
                throw ProtocolError.invalid("The request body must be a JSON object.")
            }
            return Fields(members)
        } catch let fault as JSONReader.Fault { throw error(fault) }
    }

    static func error(_ fault: JSONReader.Fault) -> ProtocolError {
        .invalid(
            "The request body cannot be read as JSON: \(fault.reason), at byte \(fault.offset).")
    }

    static let headers: HTTPFields = [
        .contentType: "application/json", .xContentTypeOptions: "nosniff",
    ]

    static func json(_ bytes: [UInt8], status: HTTPResponse.Status = .ok) -> Response {
        Response(
            status: status,
            headers: headers, body: .init(byteBuffer: ByteBuffer(bytes: bytes)))
    }
}
