// text-file: names of variables, which are ASCII
package import AloftDomain
import AloftProjectFile
import Crypto
import Foundation

/// Keeps the values of secret variables unreadable wherever they are stored: in jobs, sweeps, project files
/// and copies of the database. The key is made from `jobs/token.key`, which only its owner can read and no
/// backup takes along. The same value of the same variable is sealed alike, so that a file that is applied
/// twice is the same file.
package struct VariableSealer: Sendable {
    /// A secret can no longer be read.
    package struct Unreadable: Refusal {
        package let name: String
        package var code: String { "secret_unreadable" }
        package var kind: RefusalKind { .conflict }
        package var message: String {
            "the value of the secret variable \(name) cannot be read: it was sealed by another key than "
                + "this server's (jobs/token.key, which backups leave out). Apply the project file again, or "
                + "send the job with its variables again."
        }
    }

    /// Somebody sends back what is shown in place of a secret.
    package struct Masked: Refusal {
        package let name: String
        package var code: String { "secret_masked" }
        package var kind: RefusalKind { .invalid }
        package var message: String {
            "the value of the secret variable \(name) is \"\(SecretVariable.mask)\", which this server shows "
                + "in place of secrets; send the value itself"
        }
    }

    private static let mark = "sealed:v1:"
    private let key: SymmetricKey
    private let nonces: SymmetricKey

    package init(key: String) {
        let key = SymmetricKey(data: SHA256.hash(data: Data(key.utf8)))
        func part(_ name: String) -> SymmetricKey {
            SymmetricKey(
                data: HMAC<SHA256>.authenticationCode(for: Data(name.utf8), using: key))
        }
        self.key = part("seal")
        nonces = part("nonce")
    }

    /// A job's variables as they are stored.
    ///
    /// - Parameter secrets: names that do not say themselves that they are secrets.
    /// - Throws: `Masked`.
    package func sealed(
        _ variables: [String: String], secrets: [String] = []
    ) throws -> [String: String] {
        try Dictionary(
            uniqueKeysWithValues: variables.map { name, value in
                let isSecret =
                    SecretVariable.isNamed(name) || secrets.contains { $0.isSame(as: name) }
                    || value.begins(with: Self.mark)
                return (name, isSecret ? try seal(value, of: name) : value)
            })
    }

    /// A job's variables as its command gets them, and the values that must not be seen.
    ///
    /// - Throws: `Unreadable`.
    package func opened(
        _ variables: [String: String]
    ) throws -> (variables: [String: String], secrets: [String]) {
        var secrets: [String] = []
        let opened = try variables.map { name, value in
            guard value.begins(with: Self.mark) else {
                // From before values were sealed.
                if SecretVariable.isNamed(name), !value.isEmpty { secrets.append(value) }
                return (name, value)
            }
            guard let text = open(value, of: name) else { throw Unreadable(name: name) }
            secrets.append(text)
            return (name, text)
        }
        return (Dictionary(opened, uniquingKeysWith: { first, _ in first }), secrets.sorted())
    }

    /// A project file's text as it is stored.
    package func sealed(_ text: String, of file: ProjectFile) throws -> String {
        try ProjectFileSecrets.replacing(in: text, of: file) { name, value in
            try seal(value, of: name)
        }
    }

    /// Sealed values are left as they are.
    func seal(_ value: String, of name: String) throws -> String {
        if value.begins(with: Self.mark), open(value, of: name) != nil { return value }
        if value.isSame(as: SecretVariable.mask) { throw Masked(name: name) }
        let plain = Data(value.utf8)
        var hash = HMAC<SHA256>(key: nonces)
        hash.update(data: Data(name.utf8) + [0])
        hash.update(data: plain)
        let nonce = try AES.GCM.Nonce(data: Data(hash.finalize()).prefix(12))
        let box = try AES.GCM.seal(
            plain, using: key, nonce: nonce, authenticating: Data(name.utf8))
        return Self.mark + (box.combined ?? Data()).base64EncodedString()
    }

    private func open(_ text: String, of name: String) -> String? {
        guard let data = Data(base64Encoded: String(text.dropFirst(Self.mark.count))),
            let box = try? AES.GCM.SealedBox(combined: data),
            let plain = try? AES.GCM.open(box, using: key, authenticating: Data(name.utf8))
        else { return nil }
        return String(decoding: plain, as: UTF8.self)
    }

    /// A text in which sealed values may stand, as anybody may see it.
    package static func masked(_ text: String) -> String {
        let (all, mark) = (Array(text.utf8), Array(mark.utf8))
        var shown: [UInt8] = []
        var index = 0
        while index < all.count {
            guard all[index...].starts(with: mark) else {
                shown.append(all[index])
                index += 1
                continue
            }
            shown += SecretVariable.mask.utf8
            index += mark.count
            while index < all.count, isBase64(all[index]) { index += 1 }
        }
        return String(decoding: shown, as: UTF8.self)
    }

    private static func isBase64(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "+"), UInt8(ascii: "/"),
            UInt8(ascii: "="):
            true
        default: false
        }
    }
}
