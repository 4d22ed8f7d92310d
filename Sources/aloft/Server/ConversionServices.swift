import AloftArtifacts
import AloftControl
import AloftDomain
import AloftStore
import Foundation

/// What conversions of models are made with: the `python` folder of this installation, as a blob.
struct ConversionServices: Sendable {
    let services: ServerServices

    func controller(logs: JobLogs) -> ConversionController {
        let services = services
        let store = services.store
        return ConversionController(
            store: store,
            tools: .init(
                snapshot: { try Self.snapshot(services) },
                files: VersionFiles(artifacts: services.artifacts),
                lastLines: { job in
                    let record = try await store.read { try JobQueries.get($0, job) }
                    return try await logs.tail(job, attempt: record.state.attempt, lines: 40)
                }),
            time: services.time, chance: services.chance, logger: services.logger)
    }

    /// The converter's package as a blob. Packed anew for each conversion: it is small, and the same
    /// content is stored once.
    static func snapshot(_ services: ServerServices) throws -> ContentDigest {
        let folder = try shareFolder(services.configuration.sharePath)
        return try services.blobs.put(try PackageArchive.pack(folder: folder)).digest
    }

    /// The folder that holds `aloft_models`: as told, or `python` in a folder above the program.
    private static func shareFolder(_ told: String?) throws -> String {
        func holdsPackage(_ folder: String) -> Bool {
            FileManager.default.fileExists(atPath: folder + "/aloft_models/convert/__main__.py")
        }
        if let told {
            if let found = [told, told + "/python"].first(where: holdsPackage) { return found }
            throw CommandFailure("--share \(told): there is no python package aloft_models in it")
        }
        var folder = URL(fileURLWithPath: ProgramPath.current).deletingLastPathComponent()
        for _ in 0..<8 {
            let candidate = folder.appending(path: "python").path
            if holdsPackage(candidate) { return candidate }
            folder.deleteLastPathComponent()
        }
        throw CommandFailure(
            "the python package aloft_models is not beside the program; say where with --share")
    }
}

/// The modules of the package as a tar, the same bytes for the same content (POSIX.1-1988, ustar).
enum PackageArchive {
    static func pack(folder: String) throws -> Data {
        let root = folder + "/aloft_models"
        guard let names = FileManager.default.subpaths(atPath: root) else {
            throw CommandFailure("\(root) cannot be read")
        }
        var archive = Data()
        for name in names.sorted()
        where name.hasSuffix(".py") || name.hasSuffix("py.typed")
            || name == "requirements/packages.txt"
        {
            let content = try Data(contentsOf: URL(fileURLWithPath: "\(root)/\(name)"))
            archive.append(try header(name: "aloft_models/\(name)", size: content.count))
            archive.append(content)
            archive.append(Data(count: (512 - content.count % 512) % 512))
        }
        archive.append(Data(count: 1024))
        return archive
    }

    private static func header(name: String, size: Int) throws -> Data {
        guard name.utf8.count < 100 else { throw CommandFailure("\(name): the name is too long") }
        var block = [UInt8](repeating: 0, count: 512)
        func put(_ text: String, at offset: Int) {
            for (index, byte) in text.utf8.enumerated() { block[offset + index] = byte }
        }
        func octal(_ value: Int, digits: Int) -> String {
            let text = String(value, radix: 8)
            return String(repeating: "0", count: max(0, digits - text.count)) + text
        }
        put(name, at: 0)
        put(octal(0o644, digits: 7), at: 100)
        put(octal(0, digits: 7), at: 108)
        put(octal(0, digits: 7), at: 116)
        put(octal(size, digits: 11), at: 124)
        put(octal(0, digits: 11), at: 136)
        put("        ", at: 148)
        put("0", at: 156)
        put("ustar", at: 257)
        put("00", at: 263)
        let sum = block.reduce(0) { $0 + Int($1) }
        put(octal(sum, digits: 6), at: 148)
        block[154] = 0
        block[155] = 32
        return Data(block)
    }
}
