package import AloftDomain
import AsyncHTTPClient
import Crypto
import Foundation
import NIOCore
import NIOFoundationCompat
import NIOHTTP1

/// Sends messages to webhooks, signed, to addresses that were checked: the name is looked up once for
/// each message and the connection goes to just what was found, so that a name which changes its
/// address between check and call leads nowhere else. Redirects are not followed.
package struct WebhookHTTPSender: Sendable {
    private static let timeout = TimeAmount.seconds(10)
    /// Of an answer; the rest is not read.
    private static let longestBody = 16 << 10

    private let reach: WebhookTarget.Reach

    package init(reach: WebhookTarget.Reach) { self.reach = reach }

    package var sender: WebhookSender {
        WebhookSender(check: { _ = try await address(of: $0) }, send: send)
    }

    /// The address to connect to.
    ///
    /// - Throws: `WebhookError.invalidURL` if the URL may not be a webhook's.
    private func address(of url: String) async throws -> (host: String, address: NetworkAddress) {
        let target = try WebhookTarget(url, reach: reach)
        let addresses = await HostLookup.addresses(of: target.host)
        guard let first = addresses.first else {
            throw WebhookError.invalidURL(url, reason: "its host '\(target.host)' is not known.")
        }
        if reach == .publicHosts, let hidden = addresses.first(where: { !$0.isPublic }) {
            throw WebhookError.invalidURL(
                url,
                reason: "Webhook URL must not resolve to a non-public IP address. "
                    + "'\(target.host)' resolves to \(hidden.text).")
        }
        // Old addresses are reached from more places than new ones.
        return (target.host, addresses.first { $0.bytes.count == 4 } ?? first)
    }

    package func send(_ message: WebhookMessage) async -> WebhookAnswer {
        do {
            let (host, address) = try await address(of: message.url)
            let http = Self.makeClient(host: host, address: address)
            let answer = await Self.post(message, with: http)
            try await http.shutdown()
            return answer
        } catch let error as WebhookError {
            return .unanswered(reason: error.message)
        } catch {
            return .unanswered(reason: "\(error)")
        }
    }

    private static func makeClient(host: String, address: NetworkAddress) -> HTTPClient {
        var configuration = HTTPClient.Configuration()
        configuration.redirectConfiguration = .disallow
        configuration.timeout.connect = .seconds(5)
        configuration.connectionPool.retryConnectionEstablishment = false
        configuration.dnsOverride = [host: address.text]
        configuration.decompression = .disabled
        return HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
    }

    private static func post(
        _ message: WebhookMessage, with http: HTTPClient
    ) async -> WebhookAnswer {
        var request = HTTPClientRequest(url: message.url)
        request.method = .POST
        // traps: our own clock's time
        let timestamp = String(Int(message.sentAt.timeIntervalSince1970))
        request.headers = [
            "Content-Type": "application/json", "User-Agent": "aloft",
            "X-MLflow-Delivery-Id": message.deliveryID, "X-MLflow-Timestamp": timestamp,
        ]
        if let secret = message.secret {
            let signature = signature(message, timestamp: timestamp, secret: secret)
            request.headers.add(name: "X-MLflow-Signature", value: "v1,\(signature)")
        }
        request.body = .bytes(ByteBuffer(string: message.body))
        do {
            let response = try await http.execute(request, timeout: timeout)
            return .answered(
                status: Int(clamping: response.status.code), body: await start(of: response),
                retryAfter: response.headers.first(name: "Retry-After")
                    .flatMap { Int($0) }.map { .seconds(max(0, min($0, 86_400))) })
        } catch {
            return .unanswered(reason: "\(error)")
        }
    }

    /// The base64 of HMAC-SHA256 over `id.timestamp.body`.
    private static func signature(
        _ message: WebhookMessage, timestamp: String, secret: String
    ) -> String {
        let signed = "\(message.deliveryID).\(timestamp).\(message.body)"
        let code = HMAC<SHA256>.authenticationCode(
            for: Data(signed.utf8), using: SymmetricKey(data: Data(secret.utf8)))
        return Data(code).base64EncodedString()
    }

    private static func start(of response: HTTPClientResponse) async -> String {
        var buffer = ByteBuffer()
        do {
            for try await part in response.body {
                buffer.writeImmutableBuffer(part)
                if buffer.readableBytes >= longestBody { break }
            }
        } catch {
            return String(buffer: buffer)  // what came before it broke off is all there is
        }
        return String(decoding: buffer.readableBytesView.prefix(longestBody), as: UTF8.self)
    }
}
