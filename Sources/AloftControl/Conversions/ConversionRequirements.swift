package import AloftArtifacts
import AloftDomain
import AloftStore
import Foundation

/// The Python packages of a conversion: the model's own, and the converters.
package enum ConversionRequirements {
    /// What the converter needs beside the model's own packages. Pinned, so that the same model is
    /// converted alike on every day.
    package static let converters = [
        "onnx==1.23.2", "onnxmltools==1.16.0", "onnxruntime==1.32.0", "skl2onnx==1.20.0",
        "requests>=2.31",
    ]

    /// What PyTorch's newer exporter needs beside them; its older one does without.
    private static let torchExporter = "onnxscript==0.7.2"

    /// Where a model says nothing of its own.
    private static let fallback = ["mlflow-skinny>=3.1,<4", "numpy", "pandas"]

    /// The lines of a requirements file for this model.
    ///
    /// - Parameter own: the `requirements.txt` in the model's folder. A line in it for a package
    ///   that the converter pins gives way to the pin, or no environment could be made at all.
    package static func text(own: String?) -> String {
        let pinned = Set(converters.map(packageName))
        let lines = (own ?? "").pieces(at: "\n").map {
            $0.trimmingCharacters(in: .whitespaces)
        }.filter { !$0.isEmpty && !$0.begins(with: "#") && !pinned.contains(packageName($0)) }
        let names = Set(lines.map(packageName))
        var needed = fallback.filter { !names.contains(packageName($0)) }
        if names.contains("mlflow") { needed.removeAll { packageName($0) == "mlflow-skinny" } }
        if names.contains("torch"), !names.contains(packageName(torchExporter)) {
            needed.append(torchExporter)
        }
        return (lines + needed + converters).joined(separator: "\n") + "\n"
    }

    /// `scikit-learn` of `Scikit_learn[extra]>=1.2; python_version > "3"`.
    private static func packageName(_ line: String) -> String {
        line.prefix { $0.isLetter || $0.isNumber || "-_.".contains($0) }.lowercased()
            .replacing(scalar: "_", with: "-")
    }
}

/// Reads small files of registered versions from the artifact folder.
package struct VersionFiles: Sendable {
    private let artifacts: ArtifactFolder

    package init(artifacts: ArtifactFolder) { self.artifacts = artifacts }

    /// `requirements.txt` of the model at `uri`; `nil` where there is none here.
    package func requirements(at uri: String) -> String? {
        guard let root = Self.path(in: uri),
            let path = try? ArtifactPath(root + "/requirements.txt"),
            let file = try? artifacts.file(at: path), file.sizeBytes <= 1 << 20
        else { return nil }
        return try? String(contentsOfFile: file.path, encoding: .utf8)
    }

    /// Whether there is a model at `uri`: an MLflow model, or one ONNX file; `nil` where its files are not
    /// kept here.
    package func holdsModel(at uri: String) -> Bool? {
        guard let root = Self.path(in: uri) else { return nil }
        guard let folder = try? ArtifactPath(root) else { return false }
        if root.ends(with: ".onnx"), (try? artifacts.file(at: folder)) != nil { return true }
        let entries = (try? artifacts.list(folder)) ?? []
        return entries.contains { $0.name == "MLmodel" && !$0.isFolder }
            || entries.count { $0.name.ends(with: ".onnx") && !$0.isFolder } == 1
    }

    /// The path in `mlflow-artifacts:/path` and `mlflow-artifacts://host/path`.
    private static func path(in uri: String) -> String? {
        ArtifactPlaceText.rooted(uri)
    }
}
