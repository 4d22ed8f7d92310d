import AloftDomain
import AloftInference
import Foundation
import Testing

@testable import AloftGateway

struct ModelRequirementsTests {
    private func read(_ files: [String: String]) throws -> String {
        let folder = NSTemporaryDirectory() + "requirements-\(UUID().uuidString)"
        try FileManager.default.createDirectory(
            atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        for (name, text) in files {
            try Data(text.utf8).write(to: URL(fileURLWithPath: folder + "/" + name))
        }
        return try ModelRequirements(folder: folder).read(allowsAnySource: false)
    }

    @Test func `files beside it are read by the same rule`() throws {
        #expect(try read([:]).isEmpty)
        let text = try read(["requirements.txt": "numpy\n-r more.txt", "more.txt": "pandas"])
        #expect(text.utf8.contains(0))
        #expect(throws: InferenceError.self) {
            try read(["requirements.txt": "-r more.txt", "more.txt": "--index-url http://e"])
        }
    }

    @Test(arguments: ["${HOME}", "a b.txt", "a\\ b.txt", "\"a.txt\""])
    func `a name that an installer reads otherwise is refused`(name: String) throws {
        #expect(throws: InferenceError.self) {
            try read(["requirements.txt": "-r \(name)", name: "numpy"])
        }
    }

    @Test func `none escapes among many`() throws {
        var files = ["requirements.txt": "-r 0.txt"]
        for number in 0..<30 { files["\(number).txt"] = "-r \(number + 1).txt" }
        files["30.txt"] = "--index-url http://e"
        #expect(throws: InferenceError.self) { try read(files) }
    }
}
