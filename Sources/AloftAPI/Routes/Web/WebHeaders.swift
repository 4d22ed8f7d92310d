import AloftDomain
import HTTPTypes

/// What the browser is told about the interface's files.
enum WebHeaders {
    /// Only this server's own files run and only this server is asked.
    ///
    /// `style-src` alone allows inline styles: the chart library writes style elements while it
    /// draws. Scripts never are inline. `blob:` is for previews of artifacts: images, and HTML in a
    /// frame without an origin that may not run scripts of this page's origin.
    static let contentSecurityPolicy = [
        "default-src 'none'", "script-src 'self'", "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data: blob:", "font-src 'self'", "connect-src 'self'",
        "frame-src 'self' blob:", "base-uri 'none'", "form-action 'none'",
        "frame-ancestors 'none'", "manifest-src 'self'",
    ].joined(separator: "; ")

    static var forPage: HTTPFields {
        var fields = common
        fields[.cacheControl] = "no-cache"
        fields[.contentSecurityPolicy] = contentSecurityPolicy
        if let name = HTTPField.Name("X-Frame-Options") { fields[name] = "DENY" }
        if let name = HTTPField.Name("Referrer-Policy") { fields[name] = "same-origin" }
        // Names in logged pages and descriptions are not looked up in advance.
        if let name = HTTPField.Name("X-DNS-Prefetch-Control") { fields[name] = "off" }
        return fields
    }

    /// A name with a digest never means other bytes.
    static func forAsset(hasDigest: Bool) -> HTTPFields {
        var fields = common
        fields[.cacheControl] =
            hasDigest ? "public, max-age=31536000, immutable" : "public, max-age=3600"
        return fields
    }

    private static var common: HTTPFields {
        var fields = HTTPFields()
        fields[.xContentTypeOptions] = "nosniff"
        return fields
    }

    /// `nil` for a name that no asset has: other letters than these, or an unknown ending.
    static func contentType(of name: String) -> String? {
        let letters = name.allSatisfy { letter in
            letter.isASCII && (letter.isLetter || letter.isNumber || "-_.".contains(letter))
        }
        // text: all its letters are ASCII
        guard letters, !name.begins(with: "."), let dot = name.lastIndex(of: ".") else {
            return nil
        }
        return switch name[name.index(after: dot)...] {
        case "js": "text/javascript; charset=utf-8"
        case "css": "text/css; charset=utf-8"
        case "svg": "image/svg+xml"
        case "map": "application/json"
        default: nil
        }
    }
}
