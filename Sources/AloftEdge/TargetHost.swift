import AloftDomain
import NIOHTTP1

/// The host that a request line names itself (`GET http://NAME/… HTTP/1.1`), which the library drops: kept in
/// a header, before the library makes a request of what it read.
package enum TargetHost {
    /// A header of ours, whatever a client puts there.
    package static let header = "x-aloft-target-host"

    /// The head with the host that it names; `nil` where the head stays as it is.
    static func marked(_ head: HTTPRequestHead) -> HTTPRequestHead? {
        if let authority = RequestTarget.authority(of: head.uri) {
            var marked = head
            marked.headers.replaceOrAdd(name: header, value: authority)
            return marked
        }
        guard head.headers.contains(name: header) else { return nil }
        var clean = head
        clean.headers.remove(name: header)
        return clean
    }
}
