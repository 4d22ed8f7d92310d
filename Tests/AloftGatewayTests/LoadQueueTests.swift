import Testing

@testable import AloftGateway

struct LoadQueueTests {
    @Test func `what loads in a moment goes before what starts a process, each in its order`() {
        var queue = LoadQueue<String>()
        for name in ["python 1", "python 2"] { queue.append(name, isQuick: false) }
        for name in ["onnx 1", "onnx 2"] { queue.append(name, isQuick: true) }
        queue.putFirst("onnx 0", isQuick: true)
        var order: [String] = []
        while let next = queue.next(quickPlaces: 1, slowPlaces: 1) { order.append(next.item) }
        #expect(order == ["onnx 0", "onnx 1", "onnx 2", "python 1", "python 2"])
        #expect(queue.isEmpty)
    }

    @Test func `slow ones take no place of quick ones, and wait while one of those waits`() {
        var queue = LoadQueue<Int>()
        queue.append(1, isQuick: false)
        #expect(queue.next(quickPlaces: 4, slowPlaces: 0) == nil)
        queue.append(2, isQuick: true)
        #expect(queue.next(quickPlaces: 0, slowPlaces: 4) == nil)
        #expect(queue.next(quickPlaces: 1, slowPlaces: 0)?.item == 2)
        #expect(queue.next(quickPlaces: 0, slowPlaces: 1)?.item == 1)
    }
}
