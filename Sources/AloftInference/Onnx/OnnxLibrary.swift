import COnnxRuntime
import Foundation

/// ONNX Runtime, opened at run time. One a process; never closed.
// @unchecked: the library's own structures, which upstream documents as safe for many threads; the
// pointer never changes.
package final class OnnxLibrary: @unchecked Sendable {
    let pointer: OpaquePointer
    /// Such as `1.32.0`.
    package let version: String

    /// Opens the library in this file.
    ///
    /// - Throws: `InferenceError.runtimeMissing` where there is none or it is too old.
    package init(path: String) throws(InferenceError) {
        var opened: OpaquePointer?
        let failure = onnxFailure { aloft_onnx_open(path, &opened, $0) }
        guard failure == nil, let opened else {
            throw .runtimeMissing(
                reason: "ONNX Runtime cannot be opened: \(failure ?? "no library"). Run `make "
                    + "setup`, or name the library with --onnxruntime or ALOFT_ONNXRUNTIME.")
        }
        pointer = opened
        // traps: a constant of the runtime
        version = String(cString: aloft_onnx_version(opened))
    }

    /// Notes in which model this process crashes: its session's key is appended to the open file.
    package func watchCrashes(descriptor: Int32) { aloft_onnx_watch_crashes(descriptor) }

    /// The library that `make setup` installs, looked up from the folder of `program` upwards.
    ///
    /// - Throws: `InferenceError.runtimeMissing`.
    package static func installedPath(
        nearProgram program: String
    ) throws(InferenceError) -> String {
        var folder = URL(fileURLWithPath: program).resolvingSymlinksInPath()
            .deletingLastPathComponent()
        while true {
            let place = folder.appendingPathComponent(".runtime/onnxruntime/onnxruntime/capi").path
            let names = (try? FileManager.default.contentsOfDirectory(atPath: place)) ?? []
            if let name = names.filter({ $0.hasPrefix("libonnxruntime.so.") }).max() {
                return place + "/" + name
            }
            if folder.path == "/" { break }
            folder.deleteLastPathComponent()
        }
        throw .runtimeMissing(
            reason: "ONNX Runtime is not installed near \(program): run `make setup`, or name "
                + "libonnxruntime.so.1.x.y with --onnxruntime or ALOFT_ONNXRUNTIME.")
    }
}

/// Calls a function of the C target and returns its complaint, `nil` for success.
func onnxFailure(_ call: (aloft_onnx_error) -> Int32) -> String? {
    withUnsafeTemporaryAllocation(of: CChar.self, capacity: 1024) { buffer in
        buffer[0] = 0
        guard call(aloft_onnx_error(buffer: buffer.baseAddress, capacity: buffer.count)) != 0 else {
            return nil
        }
        // Not empty, so it has an address.
        // traps: the runtime ends what it writes, and the first byte is a zero before it does
        return String(cString: buffer.baseAddress.unsafelyUnwrapped)
    }
}
