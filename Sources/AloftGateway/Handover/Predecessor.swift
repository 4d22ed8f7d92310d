import AloftDomain
import Foundation

/// The gateway that runs on this folder already, when another is started.
struct Predecessor {
    private let stream: DescriptorStream

    /// `nil` where none runs.
    init?(folder: String) {
        let opened = try? HandoverPath.open(folder) { socket, address, length in
            connect(socket, address, length) == 0
        }
        guard let opened else { return nil }
        stream = DescriptorStream(opened)
        stream.setTimeout(seconds: 10)
    }

    /// Its listening socket, which both then hold.
    ///
    /// - Throws: `GatewayStartFailure.folderInUse` where it listens elsewhere; `.notHandedOver`.
    func take(_ listen: ListenAddress) throws(GatewayStartFailure) -> ListeningSocket {
        let (text, passed) = try ask("take \(listen)")
        guard text.hasPrefix("yes "), let passed else {
            throw .folderInUse(reason: text.hasPrefix("no ") ? String(text.dropFirst(3)) : text)
        }
        return ListeningSocket(descriptor: passed)
    }

    private func ask(
        _ question: String
    ) throws(GatewayStartFailure) -> (text: String, passed: Int32?) {
        do throws(DescriptorStream.Failure) {
            try stream.send(question)
            return try stream.receive()
        } catch {
            throw .notHandedOver(reason: "\(error)")
        }
    }

    /// Says that this process accepts connections, so the other stops.
    func confirm() throws(GatewayStartFailure) {
        do throws(DescriptorStream.Failure) {
            try stream.send("taken")
        } catch {
            throw .notHandedOver(reason: "\(error)")
        }
    }
}

/// Why a gateway does not start.
package enum GatewayStartFailure: Error, Equatable, Sendable {
    /// Another process works in the folder and listens elsewhere.
    case folderInUse(reason: String)
    case notHandedOver(reason: String)

    package var message: String {
        switch self {
        case .folderInUse(let reason):
            "Another gateway works in this folder: \(reason). Start this one with the same --listen "
                + "to take its place, or give it another folder with --data."
        case .notHandedOver(let reason):
            "The gateway that runs in this folder does not hand its socket over: \(reason). Stop "
                + "it, then start this one again."
        }
    }
}
