import AloftDomain
package import AsyncHTTPClient
import Foundation
import NIOCore
import NIOFoundationCompat
import NIOHTTP1

/// Calls a tracking server. May be used by many tasks at once.
package struct SourceConnection: Sendable {
    /// Who asks, as MLflow's own clients say it.
    package enum Access: Sendable {
        case open
        case token(String)
        case password(user: String, password: String)
    }

    /// Without a slash at the end.
    let address: String
    private let access: Access
    private let http: HTTPClient

    package init(address: String, access: Access, http: HTTPClient) {
        self.address = String(address.droppingLast("/"))
        self.access = access
        self.http = http
    }

    func get<Reply: Decodable>(
        _ path: String, _ query: [(String, String)], as type: Reply.Type = Reply.self
    ) async throws -> Reply {
        try decode(await send(.GET, path, query, body: nil), path)
    }

    func post<Reply: Decodable>(
        _ path: String, _ body: some Encodable, as type: Reply.Type = Reply.self
    ) async throws -> Reply {
        try decode(await send(.POST, path, [], body: try JSONEncoder().encode(body)), path)
    }

    /// The body of `GET path` as it comes.
    ///
    /// - Throws: `SourceError`.
    func download(_ path: String) async throws -> HTTPClientResponse.Body {
        try await open(.GET, path, [], body: nil).body
    }

    private func send(
        _ method: HTTPMethod, _ path: String, _ query: [(String, String)], body: Data?
    ) async throws -> Data {
        let response = try await open(method, path, query, body: body)
        do {
            return Data(buffer: try await response.body.collect(upTo: 512 << 20))
        } catch {
            throw SourceError("\(address)\(path): the answer ended too early", endsAll: true)
        }
    }

    /// Tries again where the tracker is too busy: copying must not fail for that.
    private func open(
        _ method: HTTPMethod, _ path: String, _ query: [(String, String)], body: Data?
    ) async throws -> HTTPClientResponse {
        var wait = Duration.milliseconds(200)
        for attempt in 1... {
            do {
                return try await openOnce(method, path, query, body: body)
            } catch let error as SourceError where !error.isRefusal && attempt < 5 {
                try await Task.sleep(for: wait)
                wait *= 3
            }
        }
        throw CancellationError()
    }

    private func openOnce(
        _ method: HTTPMethod, _ path: String, _ query: [(String, String)], body: Data?
    ) async throws -> HTTPClientResponse {
        let pairs = query.map { "\(SafePath.encoded($0.0))=\(Self.encoded($0.1))" }
        let text = pairs.isEmpty ? "" : "?" + pairs.joined(separator: "&")
        var request = HTTPClientRequest(url: address + path + text)
        request.method = method
        switch access {
        case .open: break
        case .token(let token):
            request.headers.add(name: "authorization", value: "Bearer \(token)")
        case .password(let user, let password):
            let pair = Data("\(user):\(password)".utf8).base64EncodedString()
            request.headers.add(name: "authorization", value: "Basic \(pair)")
        }
        if let body {
            request.headers.add(name: "content-type", value: "application/json")
            request.body = .bytes(ByteBuffer(data: body))
        }
        let response: HTTPClientResponse
        do {
            response = try await http.execute(request, timeout: .seconds(600))
        } catch let error as HTTPClientError {
            throw SourceError(
                "no answer from \(address) (\(error.shortDescription))", endsAll: true)
        } catch {
            throw SourceError("no answer from \(address)", endsAll: true)
        }
        guard response.status == .ok else {
            let data = (try? await response.body.collect(upTo: 1 << 20)).map { Data(buffer: $0) }
            let reply = try? JSONDecoder().decode(Failure.self, from: data ?? Data())
            let isBusy = response.status.code >= 500 || response.status.code == 429
            throw SourceError(
                "\(address)\(path) answered \(response.status.code)"
                    + (reply.map { ": \($0.message)" } ?? ""), isRefusal: !isBusy,
                endsAll: isBusy && response.status != .internalServerError)
        }
        return response
    }

    private struct Failure: Decodable { var message: String }

    private func decode<Reply: Decodable>(_ data: Data, _ path: String) throws -> Reply {
        do {
            return try JSONDecoder().decode(Reply.self, from: data)
        } catch {
            throw SourceError(
                "\(address)\(path) answered something unknown. Is it an MLflow server?",
                isRefusal: true)
        }
    }

    private static func encoded(_ text: String) -> String {
        text.pieces(at: "/", keepingEmpty: true)
            .map { SafePath.encoded(String($0)) }.joined(separator: "%2F")
    }
}
