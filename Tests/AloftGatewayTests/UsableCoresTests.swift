import Testing

@testable import AloftGateway

@Suite struct UsableCoresTests {
    @Test(arguments: [
        ("Name:\taloft\nCpus_allowed:\t3\nCpus_allowed_list:\t0-1\n", 2),
        ("Cpus_allowed:\tff,00000001\n", 9), ("Cpus_allowed:\t2", 1),
    ])
    func `cores that the process is kept from do not count`(status: String, count: Int) {
        #expect(UsableCores.allowed(status) == count)
    }

    @Test func `where nothing is said nothing is known`() {
        #expect(UsableCores.allowed("Name:\taloft\n") == nil)
        #expect(UsableCores.count >= 1)
    }
}
