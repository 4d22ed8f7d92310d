import AloftDomain
import Testing

/// Who may do what to what: every principal, every action, every kind of thing.
@Suite struct AccessRulesTests {
    private static let own = ProjectID("demo")
    private static let other = ProjectID("victim")

    private static let things: [Thing] = {
        let holds = Thing.Hold.allCases
        var things: [Thing] = [.platform, .missing, .new, .ownProject]
        for project in [own, other] {
            things += holds.map { .item(project: project, $0) }
            for isNamed in [false, true] {
                things += [Thing.Hold.none, .made].map {
                    .model(project: project, $0, isNamed: isNamed)
                }
            }
            things += [false, true].map { .servable(project: project, isMine: $0) }
        }
        things += [false, true].map { .model(project: nil, .none, isNamed: $0) }
        return things
    }()

    private static func allowed(_ bearer: Bearer, _ action: Action) -> Set<Thing> {
        Set(
            things.filter { thing in
                do {
                    try AccessRules.check(bearer, action, thing)
                    return true
                } catch {
                    return false
                }
            })
    }

    private static func models(_ project: ProjectID?, named: [Bool], _ holds: [Thing.Hold])
        -> Set<Thing>
    {
        Set(named.flatMap { n in holds.map { .model(project: project, $0, isNamed: n) } })
    }

    @Test(arguments: Action.allCases)
    func `people may do everything`(_ action: Action) {
        for principal in [Principal.local, .user(name: "ann"), .controller(name: "sweeps")] {
            let bearer = Bearer(principal, project: .default)
            #expect(Self.allowed(bearer, action) == Set(Self.things))
        }
    }

    @Test(arguments: Action.allCases)
    func `a gateway follows, fetches and reports, and nothing else`(_ action: Action) {
        let allowed = Self.allowed(Bearer(.gateway(name: "main"), project: .default), action)
        switch action {
        case .greet, .follow: #expect(allowed == Set(Self.things))
        case .fetch:
            #expect(
                allowed
                    == Set(
                        Self.things.filter {
                            if case .servable = $0 { true } else { $0 == .missing }
                        }))
        case .manage, .read, .begin, .record, .discard, .register, .steer, .clear, .convert:
            #expect(allowed.isEmpty)
        }
    }

    private static let bothFlags = [false, true]
    private static let freeNames = models(nil, named: bothFlags, [.none])
    private static let ownModels = models(own, named: bothFlags, [.none, .made])
    private static let namedModels = models(other, named: [true], [.none, .made])

    private static let expected: [Action: Set<Thing>] = [
        .greet: Set(things), .manage: [], .clear: [], .follow: [],
        .read: freeNames.union(ownModels).union(namedModels).union([
            .missing, .ownProject, .item(project: own, .none), .item(project: own, .assigned),
            .item(project: own, .made), .item(project: other, .assigned),
            .item(project: other, .made), .servable(project: own, isMine: false),
            .servable(project: own, isMine: true), .servable(project: other, isMine: true),
        ]),
        .begin: [
            .missing, .new, .item(project: own, .none), .item(project: own, .assigned),
            .item(project: own, .made),
        ],
        .record: [
            .missing, .item(project: own, .assigned), .item(project: own, .made),
            .item(project: other, .assigned), .item(project: other, .made),
        ],
        .discard: freeNames.union(models(own, named: bothFlags, [.made]))
            .union(models(other, named: bothFlags, [.made]))
            .union([.missing, .item(project: own, .made), .item(project: other, .made)]),
        .register: freeNames.union(ownModels).union(namedModels).union([.missing]),
        .steer: freeNames.union(models(own, named: bothFlags, [.made]))
            .union(models(own, named: [true], [.none]))
            .union(models(other, named: bothFlags, [.made])).union(namedModels)
            .union([.missing, .item(project: own, .made), .item(project: other, .made)]),
        .convert: [
            .servable(project: own, isMine: true), .servable(project: other, isMine: true),
        ],
        .fetch: [
            .missing, .servable(project: own, isMine: false),
            .servable(project: own, isMine: true), .servable(project: other, isMine: true),
        ],
    ]

    @Test(arguments: Action.allCases)
    func `a job may what its project and its own work need`(_ action: Action) throws {
        let bearer = Bearer(.job(JobID("j")), project: Self.own)
        let expected = try #require(Self.expected[action])
        let allowed = Self.allowed(bearer, action)
        #expect(allowed.subtracting(expected).isEmpty, "too much")
        #expect(expected.subtracting(allowed).isEmpty, "too little")
    }

    @Test func `a refusal says what the token may do, and what it may not`() {
        let job = AccessRefusal(bearer: .job(JobID("j"), project: Self.own), action: .clear)
        #expect(job.kind == .forbidden)
        #expect(job.code == "token_not_allowed")
        #expect(job.message.contains("reads its project (demo)"))
        #expect(job.message.hasSuffix("it may not remove a whole folder of artifacts"))
        let gateway = AccessRefusal(bearer: .gateway(name: "main"), action: .manage)
        #expect(gateway.message.contains("follows the desired state"))
    }
}
