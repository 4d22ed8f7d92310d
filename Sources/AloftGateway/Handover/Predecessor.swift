// text-file: what our own earlier program answers
package import AloftDomain
import Foundation

/// The gateway that runs on this folder already, when another is started.
struct Predecessor {
    private let folder: String

    /// `nil` where none runs.
    init?(folder: String) {
        self.folder = folder
        guard (try? Self.connect(folder)) != nil else { return nil }
    }

    private static func connect(
        _ folder: String
    ) throws(DescriptorStream.Failure) -> DescriptorStream {
        let stream = DescriptorStream(
            try HandoverPath.open(folder) { socket, address, length in
                Foundation.connect(socket, address, length) == 0
            })
        stream.setTimeout(seconds: 10)
        return stream
    }

    /// The socket of a further listener, which both then hold; `nil` where it has none there.
    func listener(at address: ListenAddress) -> ListeningSocket? {
        guard let stream = try? Self.connect(folder),
            let (text, passed) = try? Self.ask("door \(address)", stream)
        else { return nil }
        return text.hasPrefix("yes ") ? passed.map { ListeningSocket(descriptor: $0) } : nil
    }

    /// Its listening socket, which both then hold.
    ///
    /// - Throws: `GatewayStartFailure.folderInUse` where it listens elsewhere; `.notHandedOver`.
    func take(_ listen: ListenAddress) throws(GatewayStartFailure) -> Succession {
        let (stream, text, passed): (DescriptorStream, String, Int32?)
        do throws(DescriptorStream.Failure) {
            stream = try Self.connect(folder)
            (text, passed) = try Self.ask("take \(listen)", stream)
        } catch {
            throw .notHandedOver(reason: "\(error)")
        }
        guard text.hasPrefix("yes "), let passed else {
            throw .folderInUse(reason: text.hasPrefix("no ") ? String(text.dropFirst(3)) : text)
        }
        return Succession(socket: ListeningSocket(descriptor: passed), stream: stream)
    }

    private static func ask(
        _ question: String, _ stream: DescriptorStream
    ) throws(DescriptorStream.Failure) -> (text: String, passed: Int32?) {
        try stream.send(question)
        return try stream.receive()
    }
}

/// The place of a gateway that goes on answering until it is told that another does.
struct Succession {
    let socket: ListeningSocket
    fileprivate let stream: DescriptorStream

    /// Says that this process accepts connections, so the other stops.
    func confirm() throws(GatewayStartFailure) {
        do throws(DescriptorStream.Failure) {
            try stream.send("taken")
        } catch {
            throw .notHandedOver(reason: "\(error)")
        }
    }
}

extension Succession {
    /// Returns when the other accepts no more at its listeners, or after ten seconds.
    func waitUntilLetGo() { _ = try? stream.receive() }
}

/// Why a gateway does not start.
package enum GatewayStartFailure: Error, Equatable, Sendable {
    /// Another process works in the folder and listens elsewhere.
    case folderInUse(reason: String)
    case notHandedOver(reason: String)
    /// The address of a further protocol cannot be listened at.
    case cannotListen(name: String, address: ListenAddress, reason: String)

    package var message: String {
        switch self {
        case .folderInUse(let reason):
            "Another gateway works in this folder: \(reason). Start this one with the same --listen "
                + "to take its place, or give it another folder with --data."
        case .notHandedOver(let reason):
            "The gateway that runs in this folder does not hand its socket over: \(reason). Stop "
                + "it, then start this one again."
        case .cannotListen(let name, let address, let reason):
            "\(name) cannot listen at \(address): \(reason). Choose another address with "
                + "--\(name.lowercased())."
        }
    }
}
