package import AloftDomain
package import Foundation
import HTTPTypes
package import Hummingbird

/// The one page of the interface, as it stands below the path where the browser sees the server.
package struct WebPage: Sendable {
    /// `nil` where the interface was not built.
    let folder: URL?

    package init(folder: URL?) { self.folder = folder }

    /// `nil` where the interface was not built.
    package func response(base: BasePath) throws -> Response? {
        guard let data = folder.flatMap({ try? Data(contentsOf: $0.appending(path: "index.html")) })
        else { return nil }
        var headers = WebHeaders.forPage
        headers[.contentType] = "text/html; charset=utf-8"
        headers[.vary] = HTTPField.Name.forwardedPrefix.canonicalName
        return Response(
            status: .ok, headers: headers,
            body: .init(byteBuffer: ByteBuffer(string: Self.placed(data, below: base))))
    }

    /// The page names its files and itself by paths from the root. `base` holds nothing that could end
    /// the text between quotes.
    private static func placed(_ page: Data, below base: BasePath) -> String {
        let text = String(decoding: page, as: UTF8.self)
        guard !base.isRoot else { return text }
        let mark = "name=\"aloft-base\" content=\""
        // text: our own page
        let files = text.replacingOccurrences(of: "\"/assets/", with: "\"\(base.text)/assets/")
        // text: our own page
        return files.replacingOccurrences(of: mark + "\"", with: mark + base.text + "\"")
    }
}
