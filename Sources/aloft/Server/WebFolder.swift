import Foundation

/// Where the files of the web interface are: `web/dist` in the program's folder or in one above it.
enum WebFolder {
    static func find(from program: String) -> URL? {
        var folder = URL(fileURLWithPath: program).resolvingSymlinksInPath()
        for _ in 0..<8 where folder.path != "/" {
            folder.deleteLastPathComponent()
            let candidate = folder.appending(path: "web")
            // The folder of sources is enough: the files may be built while the server runs.
            if FileManager.default.fileExists(atPath: candidate.path) {
                return candidate.appending(path: "dist")
            }
        }
        return nil
    }
}
