package import AloftWire
package import AsyncHTTPClient
package import Foundation
import NIOCore
import NIOFoundationCompat
import NIOHTTP1
import NIOSSL

/// Calls a server's `/api/v1`, by endpoint type. May be used by many tasks at once.
package struct ServerClient: Sendable {
    /// Without a slash at the end.
    package let server: String
    private let token: String?
    private let http: HTTPClient

    /// - Parameters:
    ///   - server: `http://HOST:PORT` or `https://…`.
    ///   - token: sent as `Authorization: Bearer`.
    package init(server: String, token: String?, http: HTTPClient) {
        self.server = server.hasSuffix("/") ? String(server.dropLast()) : server
        self.token = token
        self.http = http
    }

    /// The same server, called with another token.
    package func bearing(_ token: String) -> ServerClient {
        ServerClient(server: server, token: token, http: http)
    }

    /// The HTTP client for these calls: a server that refuses the connection is an answer, so it is
    /// not tried again for as long as the timeout lasts. Make one a process, and keep it.
    ///
    /// - Parameter authority: a PEM file of certificates that are believed beside the system's.
    package static func makeHTTPClient(authority: String? = nil) -> HTTPClient {
        var configuration = HTTPClient.Configuration.singletonConfiguration
        if let authority {
            var tls = TLSConfiguration.makeClientConfiguration()
            tls.additionalTrustRoots = [.file(authority)]
            configuration.tlsConfiguration = tls
        }
        configuration.connectionPool.retryConnectionEstablishment = false
        configuration.timeout.connect = .seconds(5)
        configuration.decompression = .disabled
        return HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
    }

    /// Calls endpoint `E` and returns its reply.
    ///
    /// - Parameters:
    ///   - path: values for the placeholders of `E.path`.
    ///   - timeout: for the whole call.
    /// - Throws: `ClientError`.
    package func call<E: Endpoint>(
        _ endpoint: E.Type, path: [String: String] = [:], query: [String: String] = [:],
        body: E.Body, timeout: Duration = .seconds(30)
    ) async throws -> E.Reply {
        let content =
            body is NoBody ? nil : HTTPClientRequest.Body.bytes(ByteBuffer(data: try encode(body)))
        let data = try await send(
            method: E.method, path: E.path, parameters: path, query: query, body: content,
            contentType: "application/json", timeout: timeout)
        do {
            return try Self.decoder.decode(E.Reply.self, from: data)
        } catch {
            throw ClientError.unreadable(url: server + E.path, reason: Self.plain(error))
        }
    }

    package func call<E: Endpoint>(
        _ endpoint: E.Type, path: [String: String] = [:], query: [String: String] = [:],
        timeout: Duration = .seconds(30)
    ) async throws -> E.Reply where E.Body == NoBody {
        try await call(endpoint, path: path, query: query, body: NoBody(), timeout: timeout)
    }

    /// Sends a request and returns the body of a good reply, at most 64 MiB of it.
    ///
    /// - Throws: `ClientError.unreachable` where there was no reply, `.refused` for any status but
    ///   2xx.
    package func send(
        method: EndpointMethod, path: String, parameters: [String: String] = [:],
        query: [String: String] = [:], body: HTTPClientRequest.Body? = nil,
        contentType: String = "application/octet-stream", headers: [String: String] = [:],
        timeout: Duration = .seconds(30)
    ) async throws -> Data {
        let response = try await open(
            method: method, path: path, parameters: parameters, query: query, body: body,
            contentType: contentType, headers: headers, timeout: timeout)
        do {
            return Data(buffer: try await response.body.collect(upTo: 64 << 20))
        } catch {
            throw ClientError.unreachable(server: server, reason: Self.plain(error))
        }
    }

    /// Posts these bytes and returns the body of a good reply.
    package func post(
        path: String, parameters: [String: String] = [:], data: Data, contentType: String,
        headers: [String: String] = [:], timeout: Duration = .seconds(60)
    ) async throws -> Data {
        try await send(
            method: .post, path: path, parameters: parameters,
            body: .bytes(ByteBuffer(data: data)), contentType: contentType, headers: headers,
            timeout: timeout)
    }

    /// Like `send`, but hands the reply over for its body to be read as it comes.
    package func open(
        method: EndpointMethod, path: String, parameters: [String: String] = [:],
        query: [String: String] = [:], body: HTTPClientRequest.Body? = nil,
        contentType: String = "application/octet-stream", headers: [String: String] = [:],
        timeout: Duration = .seconds(30)
    ) async throws -> HTTPClientResponse {
        var request = HTTPClientRequest(
            url: server + Self.fill(path, parameters) + Self.encode(query))
        request.method = .RAW(value: method.rawValue.uppercased())
        if let token { request.headers.add(name: "authorization", value: "Bearer \(token)") }
        for (name, value) in headers { request.headers.add(name: name, value: value) }
        if let body {
            request.headers.add(name: "content-type", value: contentType)
            request.body = body
        }
        let response: HTTPClientResponse
        do {
            response = try await http.execute(
                // traps: a configured time, of seconds
                request, timeout: .nanoseconds(Int64(timeout / .nanoseconds(1))))
        } catch {
            throw ClientError.unreachable(server: server, reason: Self.plain(error))
        }
        guard (200..<300).contains(response.status.code) else {
            let data = (try? await response.body.collect(upTo: 1 << 20)).map { Data(buffer: $0) }
            throw Self.refusal(status: Int(clamping: response.status.code), data: data ?? Data())
        }
        return response
    }

    /// Reads the body of `GET path` part by part, however large it is.
    ///
    /// - Throws: `ClientError`, or what `take` throws.
    package func download(
        path: String, parameters: [String: String] = [:], timeout: Duration = .seconds(3600),
        _ take: (Data) throws -> Void
    ) async throws {
        let response = try await open(
            method: .get, path: path, parameters: parameters, timeout: timeout)
        for try await part in response.body { try take(Data(buffer: part)) }
    }

    private static func refusal(status: Int, data: Data) -> ClientError {
        if let reply = try? decoder.decode(ErrorReply.self, from: data) {
            return .refused(status: status, code: reply.error.code, message: reply.error.message)
        }
        if let reply = try? decoder.decode(GatewayErrorReply.self, from: data) {
            return .refused(status: status, code: reply.code, message: reply.error)
        }
        struct TrackingReply: Decodable { var error_code: String, message: String }
        if let reply = try? decoder.decode(TrackingReply.self, from: data) {
            return .refused(
                status: status, code: reply.error_code.lowercased(), message: reply.message)
        }
        let text = String(decoding: data.prefix(500), as: UTF8.self)
        return .refused(status: status, code: "http_\(status)", message: text)
    }

    /// Whether a file holds certificates, as `makeHTTPClient` wants them.
    package static func isAuthority(_ path: String) -> Bool {
        ((try? NIOSSLCertificate.fromPEMFile(path)) ?? []).isEmpty == false
    }

    private static func plain(_ error: any Error) -> String {
        if let error = error as? NIOSSLError, case .handshakeFailed = error {
            return
                "the TLS handshake failed (\(error)); is its certificate for this name, and its "
                + "authority in ALOFT_CA_CERTIFICATE?"
        }
        if let error = error as? HTTPClientError { return error.shortDescription }
        if let error = error as? IOError { return error.description }
        return ErrorWords.own(error) ?? "\(type(of: error))"
    }

    /// Puts the percent-encoded values in the places of `{name}`.
    static func fill(_ path: String, _ parameters: [String: String]) -> String {
        parameters.reduce(path) { path, parameter in
            path.replacingOccurrences(
                of: "{\(parameter.key)}", with: percentEncoded(parameter.value))
        }
    }

    private static func encode(_ query: [String: String]) -> String {
        guard !query.isEmpty else { return "" }
        let pairs = query.sorted { $0.key < $1.key }
            .map { "\(percentEncoded($0.key))=\(percentEncoded($0.value))" }
        return "?" + pairs.joined(separator: "&")
    }

    /// RFC 3986, section 2.3: everything but unreserved characters is encoded.
    private static func percentEncoded(_ text: String) -> String {
        let unreserved = CharacterSet(
            charactersIn: "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
        return text.addingPercentEncoding(withAllowedCharacters: unreserved) ?? ""
    }

    private func encode(_ body: some Encodable) throws -> Data {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.withoutEscapingSlashes]
        encoder.nonConformingFloatEncodingStrategy = .convertToString(
            positiveInfinity: "Infinity", negativeInfinity: "-Infinity", nan: "NaN")
        return try encoder.encode(body)
    }

    private static var decoder: JSONDecoder {
        let decoder = JSONDecoder()
        decoder.nonConformingFloatDecodingStrategy = .convertFromString(
            positiveInfinity: "Infinity", negativeInfinity: "-Infinity", nan: "NaN")
        return decoder
    }
}

/// An error in the form of the Open Inference Protocol, as gateways give it.
private struct GatewayErrorReply: Decodable {
    var error: String
    var code: String
}
