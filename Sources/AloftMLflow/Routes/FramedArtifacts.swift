import AloftDomain
import HTTPTypes
import Hummingbird

/// A page that somebody logged, such as an interactive figure, with its scripts: for the frame in which the
/// web interface shows it once a person asked for that.
///
/// What is in it runs in an origin of its own, which is nobody's: it reads no cookie and no page around it,
/// asks no server, sends no form, opens no window and leads nowhere. The policy comes with the answer, so
/// that it holds wherever the address is opened.
struct FramedArtifacts: Sendable {
    let open: @Sendable (Request) async throws -> Response

    static let policy = [
        "sandbox allow-scripts", "default-src 'none'",
        "script-src 'unsafe-inline' 'unsafe-eval' data: blob:", "worker-src blob:",
        "style-src 'unsafe-inline' data:", "img-src data: blob:", "font-src data:",
        "media-src data: blob:", "form-action 'none'", "base-uri 'none'", "frame-ancestors 'self'",
    ].joined(separator: "; ")

    /// What a policy of content says nothing of: names that are looked up and connections that are opened in
    /// advance, WebRTC, where the frame itself may go, and what a device has.
    ///
    /// `Connection-Allowlist` (Chromium) lets the page and all frames in it open no connection at all; other
    /// browsers do not know it yet, see docs/operations/threat-model.md. The policy's `webrtc 'block'` is known to none.
    private static let further = [
        ("Connection-Allowlist", "()"), ("X-DNS-Prefetch-Control", "off"),
        ("Referrer-Policy", "no-referrer"), ("Permissions-Policy", features),
    ]
    private static let features = [
        "accelerometer", "bluetooth", "camera", "clipboard-read", "clipboard-write",
        "display-capture",
        "fullscreen", "geolocation", "gyroscope", "hid", "local-fonts", "magnetometer",
        "microphone",
        "midi", "payment", "serial", "usb", "xr-spatial-tracking",
    ].map { $0 + "=()" }.joined(separator: ", ")

    func answer(_ request: Request) async throws -> Response {
        // A browser says where it shows what it asks for; opened by itself it would be a page of ours.
        guard request.headers[.fetchDestination] == "iframe" else {
            throw ProtocolError(
                .permissionDenied,
                "A logged page is shown in the frame of its run's page; fetch it with get-artifact."
            )
        }
        var response = try await open(request)
        response.headers[.contentType] = "text/html; charset=utf-8"
        response.headers[.contentDisposition] = nil
        response.headers[.contentSecurityPolicy] = Self.policy
        response.headers[.cacheControl] = "no-store"
        for (name, value) in Self.further {
            if let name = HTTPField.Name(name) { response.headers[name] = value }
        }
        return response
    }
}

extension HTTPField.Name {
    fileprivate static let fetchDestination = HTTPField.Name("Sec-Fetch-Dest") ?? .origin
}
