package import AloftDomain

/// Points drawn evenly: on the logarithm for a log scale, without repeats in a finite space.
/// Bergstra and Bengio, "Random search for hyper-parameter optimization", JMLR 13, 2012.
package struct RandomSearch: SearchMethod {
    private let space: SearchSpace
    private var chance: SplitMix64

    package init(space: SearchSpace, seed: UInt64) {
        self.space = space
        chance = SplitMix64(seed: seed)
    }

    package mutating func suggest(after history: [Observation]) -> [ParameterValue]? {
        space.freshPoint(after: history) { space.randomPoint(using: &chance) }
    }
}
