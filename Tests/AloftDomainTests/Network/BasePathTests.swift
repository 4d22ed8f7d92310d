import Testing

@testable import AloftDomain

@Suite struct BasePathTests {
    @Test(arguments: [
        ("", ""), ("/", ""), ("/aloft", "/aloft"), ("/team/aloft/", "/team/aloft"),
        ("/a.b/~c_d/e-1", "/a.b/~c_d/e-1"),
    ])
    func `a path of safe parts is taken`(given: String, text: String) {
        #expect(BasePath(given)?.text == text)
    }

    @Test(arguments: [
        "team", "//evil.example", "/a//b", "/..", "/a/../b", "/.", "/a b", "/a\"><script>", "/a'",
        "/a%2f", "/a?x", "/a#x", "/a\\b", "/a;b", "/a, /b", "http://evil.example", "/a:b", "/é",
        "/a\u{0}", "/a\r\nSet-Cookie: x=y", "/a/\u{301}", "/@evil",
        "/" + String(repeating: "a", count: 300),
    ])
    func `what could leave the path or the page is refused`(given: String) {
        #expect(BasePath(given) == nil)
    }

    @Test func `only addresses below it are below it`() throws {
        let base = try #require(BasePath("/team"))
        #expect(base.rest(of: "/team") == "/")
        #expect(base.rest(of: "/team/runs?x=1") == "/runs?x=1")
        #expect(base.rest(of: "/team?x=1") == "/?x=1")
        #expect(base.rest(of: "/teams") == nil)
        #expect(base.rest(of: "/") == nil)
        #expect(BasePath.root.rest(of: "/a") == nil)
    }

    @Test func `a path that the proxy tells and leaves in place counts once`() throws {
        let base = try #require(BasePath("/aloft"))
        #expect(base.below(.root).text == "/aloft")
        #expect(base.below(try #require(BasePath("/team"))).text == "/team/aloft")
        #expect(base.below(try #require(BasePath("/team/aloft"))).text == "/team/aloft")
    }

    @Test(arguments: [
        ("", ""), ("/", ""), ("/a", "/a"), ("/a, /b", "/a/b"), ("/a,/", "/a"), ("/a, /a", "/a"),
    ])
    func `what proxies tell one behind another is one path`(told: String, text: String) {
        #expect(BasePath(told: told)?.text == text)
    }

    @Test func `nothing between commas is nothing, anything else is refused`() {
        #expect(BasePath(told: ",")?.text == "")
        #expect(BasePath(told: "/a,,/b")?.text == "/a/b")
        #expect(BasePath(told: "/a, ../b") == nil)
    }
}
