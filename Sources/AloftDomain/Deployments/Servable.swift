/// A model as gateways take it: its blob and how to call it.
package struct Servable: Sendable, Hashable, Codable {
    /// The ONNX file, or for a Python model an uncompressed tar of the MLflow model folder.
    package var digest: ContentDigest
    package var sizeBytes: Int64
    package var manifest: ServableManifest

    package init(digest: ContentDigest, sizeBytes: Int64, manifest: ServableManifest) {
        self.digest = digest
        self.sizeBytes = sizeBytes
        self.manifest = manifest
    }
}

/// One version of a registered model.
package struct ModelVersionKey: Sendable, Hashable, Codable, CustomStringConvertible {
    package var model: String
    /// 1, 2, …
    package var version: Int

    package init(model: String, version: Int) {
        self.model = model
        self.version = version
    }

    /// As people write it: `flight-delay/3`.
    package var description: String { "\(model)/\(version)" }
}

/// A model version as asked for: `flight-delay/3`, `flight-delay@champion`, with or without
/// `models:/` before it.
package struct ModelReference: Sendable, Hashable {
    package enum Selector: Sendable, Hashable {
        case version(Int)
        case alias(String)
    }

    package let model: String
    package let selector: Selector

    /// `nil` if it is neither form.
    package init?(_ text: String) {
        var rest = Substring(text)
        if rest.hasPrefix("models:/") { rest = rest.dropFirst(8) }
        if let at = rest.lastIndex(of: "@") {
            model = String(rest[..<at])
            selector = .alias(String(rest[rest.index(after: at)...]))
            guard !model.isEmpty, rest.last != "@" else { return nil }
            return
        }
        guard let slash = rest.lastIndex(of: "/"), slash != rest.startIndex,
            let version = Int(rest[rest.index(after: slash)...]), version >= 1
        else { return nil }
        model = String(rest[..<slash])
        selector = .version(version)
    }
}
