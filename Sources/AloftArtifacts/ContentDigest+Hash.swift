package import AloftDomain
import Crypto
package import Foundation

extension ContentDigest {
    /// The digest of these bytes.
    package init(of data: Data) { self.init(bytes: SHA256.hash(data: data)) }
}
