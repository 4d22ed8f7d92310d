/// Which environment variables of jobs hold what nobody may read again.
package enum SecretVariable {
    /// Whether a variable's name says that its value is a secret: `API_TOKEN`, `AWS_SECRET_ACCESS_KEY`,
    /// `dbPassword`. Words are told apart by `_` and by capitals, so that `MAX_TOKENS` and
    /// `TOKENIZERS_PARALLELISM` are none.
    package static func isNamed(_ name: String) -> Bool {
        words(of: name).contains { word in
            exact.contains(word) || endings.contains { word.hasSuffix($0) }
                || within.contains { word.contains($0) }
        }
    }

    // text: of ASCII names, in capitals
    private static let exact: Set<String> = [
        "PWD", "PASS", "PW", "AUTH", "AUTHORIZATION", "BEARER", "COOKIE", "DSN", "PAT", "JWT",
    ]
    private static let endings = ["TOKEN", "KEY", "KEYS"]
    private static let within = [
        "SECRET", "PASSWORD", "PASSWD", "PASSPHRASE", "PASSCODE", "CREDENTIAL", "PRIVATEKEY",
    ]

    private static func words(of name: String) -> [String] {
        var words: [String] = []
        var word = ""
        var wasLower = false
        for scalar in name.unicodeScalars {
            let isLetter = scalar.properties.isAlphabetic && scalar.isASCII
            let isUpper = isLetter && scalar.value < 0x60
            if !isLetter || (isUpper && wasLower) {
                if !word.isEmpty { words.append(word) }
                word = ""
            }
            if isLetter {
                let upper = isUpper ? scalar.value : scalar.value - 0x20
                word.unicodeScalars.append(Unicode.Scalar(upper) ?? scalar)
            }
            wasLower = isLetter && !isUpper
        }
        if !word.isEmpty { words.append(word) }
        // `PASS_WORD` and `apiKey`, as one word each.
        return words + [words.joined()]
    }

    /// What is shown in place of a value.
    package static let mask = "***"
}
