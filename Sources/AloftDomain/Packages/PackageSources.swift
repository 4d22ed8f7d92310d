/// Where Python packages may come from: the index that this machine is set up with, and what else a
/// requirements file names.
///
/// A model's file was written by whoever logged the model, and is installed by servers and gateways that
/// serve it: it names packages and nothing else. A job's file is written by whoever runs the job, who may
/// run anything there; but an index in it would say where *every* package comes from, also those that
/// others mean by the same name, so it asks for the machine's consent too.
package enum PackageSources: String, Sendable, Hashable, Codable {
    case ofModels, ofJobs

    /// Settings of the installer that name no source.
    private static let harmless: Set<String> = [
        "--pre", "--prefer-binary", "--only-binary", "--no-binary", "--require-hashes", "--hash",
    ]
    /// Files of the project beside the requirements file, which are read by the same rule.
    private static let files: Set<String> = ["-r", "-c", "--requirement", "--constraint"]
    private static let editable: Set<String> = ["-e", "--editable"]

    /// What a file names that it may not, in sentences.
    package func faults(in text: String) -> [String] {
        RequirementLine.lines(of: text).compactMap { fault(of: $0) }
    }

    private func fault(of line: RequirementLine) -> String? {
        switch line {
        case .option(let name, let value): fault(name, value)
        case .package(let text): fault(text)
        }
    }

    private func fault(_ option: String, _ value: String) -> String? {
        let said = "\(option.prefix(40)) \(value.prefix(200))"
        if Self.harmless.contains(option) { return nil }
        switch self {
        case .ofModels: break
        case .ofJobs:
            if Self.editable.contains(option) { return nil }
            if Self.files.contains(option) {
                return value.contains("://") ? "'\(said)' is not in the project's folder" : nil
            }
        }
        return "'\(said)' says where packages come from"
    }

    private func fault(_ package: String) -> String? {
        let said = package.prefix(240)
        let words = package.split(whereSeparator: \.isWhitespace)
        let options = words.filter { $0.utf8.first == UInt8(ascii: "-") }
        for word in options
        where !Self.harmless.contains(String(word.prefix { $0 != "=" })) {
            return "'\(said)' says where packages come from"
        }
        guard self == .ofModels else { return nil }
        if package.utf8.contains(UInt8(ascii: "$")) {
            return "'\(said)' asks for a variable of this machine"
        }
        // What stands before a marker; markers compare versions and platforms.
        let wanted = words.filter { $0.utf8.first != UInt8(ascii: "-") }.joined(separator: " ").utf8
            .prefix { $0 != UInt8(ascii: ";") }
        let isDirect =
            wanted.contains { "@/\\:".utf8.contains($0) }
            || wanted.first.map { ".~".utf8.contains($0) } == true
        return isDirect ? "'\(said)' names a place instead of a package and its version" : nil
    }

    /// The sentence for these faults.
    package static func refusal(_ faults: [String]) -> String {
        "the requirements name sources beside this machine's own package index, which is not allowed "
            + "here: " + faults.prefix(5).joined(separator: "; ")
            + ". Name packages and versions only, or start the server (and a gateway of its own) with "
            + "--packages-from-anywhere."
    }
}

/// A lock file that an installer wrote.
package enum PackageLock {
    /// Whether each package in it is known by digest, so that nothing else is ever installed for it.
    package static func isHashed(_ text: String) -> Bool {
        RequirementLine.lines(of: text).allSatisfy { line in
            guard case .package(let package) = line else { return true }
            return package.contains("--hash=")
        }
    }
}
