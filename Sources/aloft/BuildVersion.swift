/// The program's version; CHANGELOG.md says what each brought.
enum BuildVersion {
    static let text = "0.2.0"
}
