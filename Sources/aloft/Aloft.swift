@main struct Aloft { static func main() {} }
