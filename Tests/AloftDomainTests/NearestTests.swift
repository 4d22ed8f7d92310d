import Testing

@testable import AloftDomain

struct NearestTests {
    @Test func `a swapped pair of letters is one edit away`() {
        #expect(editDistance("trian", "train") == 1)
        #expect(nearest(to: "trian", among: ["train", "prepare"]) == "train")
    }

    @Test func `a word unlike all others has no nearest`() {
        #expect(nearest(to: "xylophone", among: ["train", "prepare"]) == nil)
    }
}
