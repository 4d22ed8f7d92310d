import AloftDomain
import AloftInference
import Foundation

/// `requirements.txt` of a model, and the files of its folder that it names. Whoever logged the model wrote
/// them, perhaps so that the installer reads them in another way than we do: what is not plain is refused.
struct ModelRequirements {
    let folder: String

    var path: String { folder + "/requirements.txt" }

    private static let includes = ["-r", "-c", "--requirement", "--constraint"]
    private static let mostFiles = 20
    private static let mostBytes = 1 << 20

    /// The text of all; empty where the model has none.
    ///
    /// - Throws: `InferenceError.unloadable` where one names a source that it may not.
    func read(allowsAnySource: Bool) throws -> String {
        guard isOwnFile("requirements.txt") else { return "" }
        var texts: [String] = []
        var open = ["requirements.txt"]
        var seen: Set<ExactText> = []
        while let name = open.popLast() {
            guard seen.insert(ExactText(name)).inserted else { continue }
            guard seen.count <= Self.mostFiles else {
                throw InferenceError.unloadable(
                    reason: "its requirements are in more than \(Self.mostFiles) files")
            }
            let text = try read(name)
            texts.append(text)
            var others = ""
            for line in RequirementLine.lines(of: text) {
                if case .option(let option, let value) = line, Self.includes.contains(option),
                    isOwnFile(value)
                {
                    open.append(value)
                } else {
                    others += line.text + "\n"
                }
            }
            let faults = allowsAnySource ? [] : PackageSources.ofModels.faults(in: others)
            guard faults.isEmpty else {
                throw InferenceError.unloadable(reason: PackageSources.refusal(faults))
            }
        }
        return texts.joined(separator: "\0")
    }

    private func read(_ name: String) throws -> String {
        let data = (try? Data(contentsOf: URL(fileURLWithPath: folder + "/" + name))) ?? Data()
        guard let text = RequirementLine.text(of: data) else {
            throw InferenceError.unloadable(reason: "its file \(name) is no UTF-8 text")
        }
        return text
    }

    /// A plain file beside the model's others, whose name means itself to any installer.
    private func isOwnFile(_ name: String) -> Bool {
        var status = stat()
        return !name.isEmpty && name.utf8.allSatisfy { Self.isPlain($0) }
            && lstat(folder + "/" + name, &status) == 0 && status.st_mode & S_IFMT == S_IFREG
            && status.st_size <= Self.mostBytes
    }

    private static func isPlain(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "_"),
            UInt8(ascii: "-"):
            true
        default: false
        }
    }
}
