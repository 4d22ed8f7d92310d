import AloftDomain
import Dispatch
import Foundation

/// Finds the addresses of a host, as the machine's own resolver does.
enum HostLookup {
    private static let queue = DispatchQueue(label: "aloft.lookup", attributes: .concurrent)

    /// Empty if the host is not known.
    static func addresses(of host: String) async -> [NetworkAddress] {
        await withCheckedContinuation { continuation in
            queue.async { continuation.resume(returning: resolve(host)) }
        }
    }

    private static func resolve(_ host: String) -> [NetworkAddress] {
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var found: UnsafeMutablePointer<addrinfo>?
        guard getaddrinfo(host, nil, &hints, &found) == 0 else { return [] }
        defer { freeaddrinfo(found) }
        var result: [NetworkAddress] = []
        var next = found
        while let entry = next {
            if let address = address(in: entry.pointee), !result.contains(address) {
                result.append(address)
            }
            next = entry.pointee.ai_next
        }
        return result
    }

    private static func address(in entry: addrinfo) -> NetworkAddress? {
        guard let pointer = UnsafeRawPointer(entry.ai_addr) else { return nil }
        switch entry.ai_family {
        case AF_INET:
            let address = pointer.loadUnaligned(as: sockaddr_in.self).sin_addr
            return withUnsafeBytes(of: address) { NetworkAddress(bytes: Array($0)) }
        case AF_INET6:
            let address = pointer.loadUnaligned(as: sockaddr_in6.self).sin6_addr
            return withUnsafeBytes(of: address) { NetworkAddress(bytes: Array($0)) }
        default: return nil
        }
    }
}

extension NetworkAddress {
    /// As connections are made to it.
    var text: String {
        if bytes.count == 4 { return bytes.map(String.init).joined(separator: ".") }
        return stride(from: 0, to: 16, by: 2)
            .map { String(Int(clamping: bytes[$0]) << 8 | Int(clamping: bytes[$0 + 1]), radix: 16) }
            .joined(separator: ":")
    }
}
