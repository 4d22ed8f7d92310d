import AloftCompute
import Foundation

/// What programs that users run inherit of the environment of a server or a gateway: what programs
/// need to work on this machine, and none of its secrets.
enum JobVariables {
    static func inherited(_ environment: [String: String]) -> [String: String] {
        let names: Set = [
            "PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "TZ", "TMPDIR", "LD_LIBRARY_PATH",
            "SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "HTTP_PROXY",
            "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy", "ALL_PROXY",
            "XDG_CACHE_HOME",
        ]
        let prefixes = ["LC_", "UV_", "PIP_", "CUDA_", "NVIDIA_", "PYENV_"]
        return environment.filter { name, _ in
            !name.hasPrefix("UV_PUBLISH_")
                && (names.contains(name) || prefixes.contains { name.hasPrefix($0) })
        }
    }
}

enum NearbyTools {
    /// On PATH, or at `.tools/uv/bin/uv` in a folder above the program.
    static func uv(path: String?) -> String? {
        if let found = Executable.find("uv", path: path) { return found }
        var folder = URL(fileURLWithPath: ProgramPath.current).deletingLastPathComponent()
        for _ in 0..<6 {
            let candidate = folder.appending(path: ".tools/uv/bin/uv").path
            if let found = Executable.find(candidate, path: nil) { return found }
            folder.deleteLastPathComponent()
        }
        return nil
    }
}
