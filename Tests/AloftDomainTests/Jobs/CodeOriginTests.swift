import AloftDomain
import Testing

struct CodeOriginTests {
    @Test(arguments: [
        ("https://oauth2:SECRET@host/group/repo@v2.git", "https://host/group/repo@v2.git"),
        ("https://oauth2:SECRET@host/team/@scope/repo.git", "https://host/team/@scope/repo.git"),
        ("https://a:b@c@host:8443/x", "https://host:8443/x"),
        ("https://user:SEC/RET@host/x", "https://host/x"),
        ("https://host:8443/team/@scope/x", "https://host:8443/team/@scope/x"),
        ("ssh://git@host/x", "ssh://host/x"), ("git@host:x.git", "git@host:x.git"),
        ("/srv/repo@v2", "/srv/repo@v2"),
    ])
    func `a remote is kept without its password`(_ remote: String, _ kept: String) {
        #expect(CodeOrigin.withoutSecrets(remote) == kept)
        var origin = CodeOrigin(commit: String(repeating: "a", count: 40))
        origin.remote = remote
        #expect(origin.isPlausible == (remote == kept), "a server keeps no other")
        origin.remote = kept
        #expect(origin.isPlausible)
    }
}
