import AloftDomain
import AloftStore
import AloftTestKit
import Foundation
import Logging
import Synchronization
import Testing

@testable import AloftControl

struct WebhookControllerTests {
    @Test func `a receiver is asked again with longer pauses until it takes the news`() async throws
    {
        let world = try WebhookWorld()
        try await world.addWebhook()
        try await world.createModel("a")
        world.answers.withLock { $0 = [.unanswered(reason: "down"), .status(503), .status(204)] }
        #expect(try await world.controller.runOnce() == 1)
        #expect(try await world.controller.runOnce() == 0)
        world.time.advance(by: .seconds(2))
        #expect(try await world.controller.runOnce() == 1)
        world.time.advance(by: .seconds(1))
        #expect(try await world.controller.runOnce() == 0)
        world.time.advance(by: .seconds(2))
        #expect(try await world.controller.runOnce() == 1)
        world.time.advance(by: .seconds(10_000))
        #expect(try await world.controller.runOnce() == 0)
        let sent = world.sent.withLock { $0 }
        #expect(sent.count == 3 && Set(sent.map(\.deliveryID)).count == 1)
    }

    @Test func `a receiver that wants no such news is not asked again`() async throws {
        let world = try WebhookWorld()
        try await world.addWebhook()
        try await world.createModel("a")
        world.answers.withLock { $0 = [.status(410)] }
        #expect(try await world.controller.runOnce() == 1)
        world.time.advance(by: .seconds(100_000))
        #expect(try await world.controller.runOnce() == 0)
    }

    @Test func `a receiver that asks for time gets it`() async throws {
        let world = try WebhookWorld()
        try await world.addWebhook()
        try await world.createModel("a")
        world.answers.withLock {
            $0 = [.answered(status: 429, body: "", retryAfter: .seconds(100))]
        }
        #expect(try await world.controller.runOnce() == 1)
        world.time.advance(by: .seconds(99))
        #expect(try await world.controller.runOnce() == 0)
        world.time.advance(by: .seconds(1))
        #expect(try await world.controller.runOnce() == 1)
    }

    @Test func `what was under way when the server ended is sent again`() async throws {
        let world = try WebhookWorld()
        try await world.addWebhook()
        try await world.createModel("a")
        let now = world.time.now
        let claimed = try await world.store.write { db in
            try DeliveryQueries.claim(db, at: now, leaseUntil: .distantFuture, limit: 10)
        }
        #expect(claimed.count == 1)
        #expect(try await world.controller.runOnce() == 0)
        try await world.controller.recover()
        #expect(try await world.controller.runOnce() == 1)
        #expect(world.sent.withLock { $0.first?.deliveryID } == claimed.first?.publicID)
    }

    @Test func `a clock that is set back by a day holds nothing up`() async throws {
        let world = try WebhookWorld()
        try await world.addWebhook()
        try await world.createModel("a")
        world.answers.withLock { $0 = [.unanswered(reason: "down")] }
        #expect(try await world.controller.runOnce() == 1)
        try await world.createModel("b")
        world.time.advance(by: .seconds(-86_400))
        #expect(try await world.controller.runOnce() == 2)
        // What waits by its own right goes on waiting.
        try await world.createModel("c")
        world.answers.withLock {
            $0 = [.answered(status: 429, body: "", retryAfter: .seconds(3600))]
        }
        #expect(try await world.controller.runOnce() == 1)
        #expect(try await world.controller.runOnce() == 0)
    }

    @Test func `a change that is undone tells nobody`() async throws {
        struct Undone: Error {}
        let world = try WebhookWorld()
        try await world.addWebhook()
        let now = world.time.now
        await #expect(throws: Undone.self) {
            try await world.store.write { db in
                try RegistryQueries.createModel(db, name: "a", who: .local, at: now)
                throw Undone()
            }
        }
        #expect(try await world.controller.runOnce() == 0)
    }

    @Test func `one slow receiver gets few at once and the others theirs`() async throws {
        let world = try WebhookWorld()
        try await world.addWebhook()
        try await world.addWebhook()
        for number in 0..<20 { try await world.createModel("m\(number)") }
        #expect(try await world.controller.runOnce() == 8)
        var total = 8
        while case let count = try await world.controller.runOnce(), count > 0 { total += count }
        #expect(total == 40)
    }

    @Test func `a disabled webhook is told nothing and a deleted one is forgotten`() async throws {
        let world = try WebhookWorld()
        let id = try await world.addWebhook()
        try await world.createModel("a")
        let now = world.time.now
        try await world.store.write { db in
            var webhook = try WebhookQueries.get(db, id)
            webhook.isActive = false
            try WebhookQueries.update(db, webhook, at: now)
        }
        try await world.createModel("b")
        #expect(try await world.controller.runOnce() == 0)
        // What waits for it keeps nobody awake.
        #expect(try await world.store.read { try DeliveryQueries.nextDue($0) } == nil)
        try await world.store.write { try WebhookQueries.delete($0, id) }
        #expect(try await world.store.read { try DeliveryQueries.nextDue($0) } == nil)
    }
}

extension WebhookControllerTests {
    @Test(arguments: 0..<8)
    func `killed before any effect, what was under way is sent by the next`(crashAt: Int)
        async throws
    {
        let world = try WebhookWorld()
        try await world.addWebhook()
        try await world.createModel("a")
        try await world.createModel("b")
        var dying = world.controller
        dying.effects = DeadLine(after: crashAt).hook
        do {
            try await dying.recover()
            _ = try await dying.runOnce()
        } catch is EffectHook.Killed {}
        try await world.controller.recover()
        _ = try await world.controller.runOnce()
        let sent = world.sent.withLock { $0 }
        #expect(Set(sent.map(\.deliveryID)).count == 2)
        #expect(try await world.store.read { try DeliveryQueries.nextDue($0) } == nil)
    }

    @Test func `what was sent and not written down is sent again when its lease is over`()
        async throws
    {
        let world = try WebhookWorld()
        try await world.addWebhook()
        try await world.createModel("a")
        var failing = world.controller
        // Recovering is no part of this; the claim and the message happen, the note does not.
        failing.effects = DeadLine(after: 2).hook
        await #expect(throws: EffectHook.Killed.self) { try await failing.runOnce() }
        #expect(try await world.controller.runOnce() == 0)
        world.time.advance(by: .seconds(WebhookController.lease + 1))
        #expect(try await world.controller.runOnce() == 1)
        #expect(Set(world.sent.withLock { $0 }.map(\.deliveryID)).count == 1)
    }
}

/// A store with webhooks that are answered as a test says; 200 where it says nothing more.
struct WebhookWorld {
    let temporary: TemporaryStore
    let time = ManualTime()
    let chance = Chance.seeded(7)
    let controller: WebhookController
    let answers: SharedBox<[WebhookAnswer]>
    let sent: SharedBox<[WebhookMessage]>

    var store: Store { temporary.store }

    init() throws {
        temporary = try TemporaryStore()
        let answers = SharedBox<[WebhookAnswer]>([])
        let sent = SharedBox<[WebhookMessage]>([])
        let sender = WebhookSender(
            check: { _ in },
            send: { message in
                sent.withLock { $0.append(message) }
                return answers.withLock { $0.isEmpty ? .status(200) : $0.removeFirst() }
            })
        self.answers = answers
        self.sent = sent
        controller = WebhookController(
            store: temporary.store, sender: sender, time: time.source, chance: chance,
            logger: Logger(label: "test"))
    }

    @discardableResult
    func addWebhook() async throws -> WebhookID {
        let id: WebhookID = chance.identifier()
        let events = [WebhookEvent(.registeredModel, .created)].compactMap { $0 }
        let webhook = WebhookRecord(
            id: id, name: "w", description: "", url: "https://example.com/", secret: "s",
            isActive: true, events: events, at: time.now)
        try await store.write { try WebhookQueries.insert($0, webhook) }
        return id
    }

    func createModel(_ name: String) async throws {
        let now = time.now
        try await store.write { db in
            _ = try RegistryQueries.createModel(db, name: name, who: .local, at: now)
        }
    }
}

final class SharedBox<Value: Sendable>: Sendable {
    private let value: Mutex<Value>

    init(_ value: Value) { self.value = Mutex(value) }

    func withLock<Result: Sendable>(_ body: (inout Value) -> Result) -> Result {
        value.withLock { value in body(&value) }
    }
}

extension WebhookAnswer {
    static func status(_ status: Int) -> Self {
        .answered(status: status, body: "", retryAfter: nil)
    }
}
