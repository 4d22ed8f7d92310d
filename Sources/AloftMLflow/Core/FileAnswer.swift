import AloftArtifacts
import AloftDomain
import Foundation
import HTTPTypes
import Hummingbird
import NIOCore

/// A file as an answer, or the part of it that was asked for.
struct FileAnswer {
    let file: ArtifactFolder.File
    let name: String

    private static let chunkBytes = 256 << 10

    func response(to request: Request) -> Response {
        var headers: HTTPFields = [
            .contentType: contentType,
            .contentDisposition: "attachment; \(Self.named(name))",
            .xContentTypeOptions: "nosniff",
            .eTag: "\"\(file.entityTag)\"",
            .acceptRanges: "bytes",
            .lastModified: Self.httpDate(file.modifiedAt),
        ]
        let range: Range<Int64>
        switch requestedRange(request) {
        // traps: a file's size
        case .whole: range = 0..<file.sizeBytes
        case .part(let part):
            range = part
            headers[.contentRange] =
                "bytes \(part.lowerBound)-\(part.upperBound - 1)/\(file.sizeBytes)"
        case .impossible:
            headers[.contentRange] = "bytes */\(file.sizeBytes)"
            return Response(status: .rangeNotSatisfiable, headers: headers)
        }
        let isPart = headers[.contentRange] != nil
        return Response(
            status: isPart ? .partialContent : .ok, headers: headers, body: body(range))
    }

    private func body(_ range: Range<Int64>) -> ResponseBody {
        let path = file.path
        return ResponseBody(contentLength: Int(clamping: range.upperBound - range.lowerBound)) {
            writer in
            let reader = try await BlockingWork.run { try FileReader(path: path) }
            var offset = range.lowerBound
            while offset < range.upperBound {
                let (start, count) = (
                    offset, min(Self.chunkBytes, Int(clamping: range.upperBound - offset))
                )
                let data = try await BlockingWork.run { try reader.read(at: start, count: count) }
                guard !data.isEmpty else { throw ArtifactError.notFound(path) }
                try await writer.write(ByteBuffer(bytes: data))
                offset += Int64(data.count)
            }
            try await writer.finish(nil)
        }
    }

    private enum Wanted {
        case whole
        case part(Range<Int64>)
        case impossible
    }

    /// One range of bytes; several at once are answered with the whole, as is allowed.
    private func requestedRange(_ request: Request) -> Wanted {
        guard let header = request.headers[.range], let wanted = header.rest(after: "bytes="),
            !wanted.holds(",")
        else { return .whole }
        if let condition = request.headers[.ifRange], condition != "\"\(file.entityTag)\"" {
            return .whole
        }
        let ends = wanted.pieces(at: "-", keepingEmpty: true)
        guard ends.count == 2 else { return .whole }
        let size = file.sizeBytes
        // traps: texts are parsed, to nil where they are no numbers
        switch (Int64(ends[0]), Int64(ends[1])) {
        case (let first?, let last?):
            guard first <= last else { return .whole }
            return first < size ? .part(first..<min(last, size - 1) + 1) : .impossible
        case (let first?, nil) where ends[1].isEmpty:
            return first < size ? .part(first..<size) : .impossible
        case (nil, let count?) where ends[0].isEmpty:
            return count > 0 && size > 0 ? .part(max(0, size - count)..<size) : .impossible
        default: return .whole
        }
    }

    /// The name for clients that read `filename` alone, and the true one where that is not ASCII. In
    /// quotes only where it is no token: clients compare the header.
    static func named(_ name: String) -> String {
        if !name.isEmpty, name.unicodeScalars.allSatisfy(isTokenScalar) {
            return "filename=\(name)"
        }
        let plain = name.unicodeScalars.map { scalar in
            switch scalar {
            case "\"", "\\": "_"
            case " "..."~": String(scalar)
            default: "_"
            }
        }.joined()
        let quoted = "filename=\"\(plain)\""
        let encoded = name.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? "file"
        return plain.isSame(as: name) ? quoted : quoted + "; filename*=UTF-8''\(encoded)"
    }

    private static func isTokenScalar(_ scalar: UnicodeScalar) -> Bool {
        switch scalar {
        case "a"..."z", "A"..."Z", "0"..."9": true
        default: "!#$%&'*+-.^_`|~".unicodeScalars.contains(scalar)
        }
    }

    private static func httpDate(_ date: Date) -> String {
        let style = Date.VerbatimFormatStyle(
            format: """
                \(weekday: .abbreviated), \(day: .twoDigits) \(month: .abbreviated) \
                \(year: .defaultDigits) \(hour: .twoDigits(clock: .twentyFourHour, hourCycle: .zeroBased)):\
                \(minute: .twoDigits):\(second: .twoDigits) GMT
                """,
            locale: Locale(identifier: "en_US_POSIX"), timeZone: .gmt,
            calendar: Calendar(identifier: .gregorian))
        return date.formatted(style)
    }

    private var contentType: String {
        var parts = name.pieces(at: ".").map { $0.lowercased() }
        // What a file is packed with says nothing of what it is.
        // traps: more than one, by the same condition
        if parts.count > 1, ["gz", "bz2", "xz", "br"].contains(parts.last) { parts.removeLast() }
        let ending = parts.last ?? ""
        return Self.texts.contains(ending)
            ? "text/plain" : Self.types[ending] ?? "application/octet-stream"
    }

    /// What people read as it stands, as the protocol's own server has it.
    // text: endings in small letters, of our own
    private static let texts: Set<String> = [
        "txt", "log", "err", "cfg", "conf", "cnf", "cf", "ini", "properties", "prop", "hocon",
        "toml", "yaml", "yml", "xml", "json", "js", "py", "py3", "csv", "tsv", "md", "rst",
        "ipynb", "mlmodel", "mlproject",
    ]

    private static let types = [
        "html": "text/html", "htm": "text/html", "css": "text/css", "png": "image/png",
        "jpg": "image/jpeg", "jpeg": "image/jpeg", "gif": "image/gif", "svg": "image/svg+xml",
        "webp": "image/webp", "bmp": "image/bmp", "tif": "image/tiff", "tiff": "image/tiff",
        "pdf": "application/pdf", "zip": "application/zip", "tar": "application/x-tar",
        "mp4": "video/mp4", "webm": "video/webm", "mov": "video/quicktime",
        "mp3": "audio/mpeg", "wav": "audio/x-wav", "h5": "application/x-hdf5",
        "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ]
}
