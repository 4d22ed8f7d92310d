import Testing

@testable import AloftGateway

struct LoadLineTests {
    @Test func `what loads in a moment goes before what starts a process, each in its order`() {
        var line = LoadLine<String>()
        for name in ["python 1", "python 2"] { line.append(name, isQuick: false) }
        for name in ["onnx 1", "onnx 2"] { line.append(name, isQuick: true) }
        line.putFirst("onnx 0", isQuick: true)
        var order: [String] = []
        while let next = line.next(quickPlaces: 1, slowPlaces: 1) { order.append(next.item) }
        #expect(order == ["onnx 0", "onnx 1", "onnx 2", "python 1", "python 2"])
        #expect(line.isEmpty)
    }

    @Test func `slow ones take no place of quick ones, and wait while one of those waits`() {
        var line = LoadLine<Int>()
        line.append(1, isQuick: false)
        #expect(line.next(quickPlaces: 4, slowPlaces: 0) == nil)
        line.append(2, isQuick: true)
        #expect(line.next(quickPlaces: 0, slowPlaces: 4) == nil)
        #expect(line.next(quickPlaces: 1, slowPlaces: 0)?.item == 2)
        #expect(line.next(quickPlaces: 0, slowPlaces: 1)?.item == 1)
    }
}
