import Foundation

/// The small models that `make setup-tests` makes, and the runtime that `make setup` installs.
package enum ServingFixtures {
    /// Says how to get what a test needs; tests fail with it rather than skip.
    package struct Missing: Error, CustomStringConvertible {
        package let description: String
    }

    private static let root = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent()

    package static func path(_ name: String) throws -> String {
        let path = root.appendingPathComponent(".runtime/fixtures/\(name)").path
        guard FileManager.default.fileExists(atPath: path) else {
            throw Missing(description: "\(path) is missing: run `make setup-tests`")
        }
        return path
    }

    package static func runtimePath() throws -> String {
        let folder = root.appendingPathComponent(".runtime/onnxruntime/onnxruntime/capi").path
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        guard let name = names.first(where: { $0.hasPrefix("libonnxruntime.so.") }) else {
            throw Missing(description: "ONNX Runtime is missing: run `make setup-tests`")
        }
        return folder + "/" + name
    }

    /// A new folder below the system's temporary one.
    package static func makeFolder() throws -> String {
        let url = FileManager.default.temporaryDirectory
            .appendingPathComponent("aloft-test-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
        return url.path
    }
}
