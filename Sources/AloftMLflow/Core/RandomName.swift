import AloftDomain

/// Names for runs and models that their makers did not name: `patient-heron-417`.
enum RandomName {
    private static let adjectives = [
        "able", "amber", "bold", "brave", "bright", "calm", "clever", "crisp", "eager", "early",
        "fair", "fleet", "gentle", "glad", "golden", "grand", "hardy", "honest", "keen", "kind",
        "lively", "lucky", "merry", "mild", "nimble", "noble", "patient", "polite", "proud",
        "quick",
        "quiet", "rare", "ready", "serene", "silent", "spry", "steady", "swift", "wise", "witty",
    ]
    private static let birds = [
        "auk", "avocet", "condor", "crane", "curlew", "dove", "eagle", "egret", "falcon", "finch",
        "fulmar", "gannet", "goose", "grebe", "gull", "harrier", "hawk", "heron", "ibis", "jay",
        "kestrel", "kite", "lapwing", "lark", "loon", "martin", "merlin", "osprey", "owl", "petrel",
        "pipit", "plover", "raven", "robin", "shrike", "skua", "snipe", "stork", "swallow", "tern",
    ]

    static func make(_ chance: Chance) -> String {
        var chance = chance
        let adjective = adjectives.randomElement(using: &chance) ?? "calm"
        let bird = birds.randomElement(using: &chance) ?? "tern"
        return "\(adjective)-\(bird)-\(Int.random(in: 0...999, using: &chance))"
    }
}
