import AloftDomain
import Foundation
import Testing

struct PackageSourcesTests {
    @Test(
        arguments: [
            "--index-url https://evil.example/simple", "--index-url=https://evil.example/simple",
            "-i https://evil.example", "-ihttps://evil.example", "--extra-index-url\thttp://e",
            "  --find-links ./wheels", "-f http://e", "--trusted-host e", "--no-index",
            "numpy\\\n  --index-url http://e", "numpy --index-url http://e",
            "numpy\r--index-url http://e", "# harmless\n--pypi-url http://e",
            "numpy==1 # text\n--extra-index-url http://e", "\u{FEFF}--index-url http://e",
            "numpy\0--index-url http://e", "# text\u{2028}--index-url http://e",
        ])
    func `indexes are refused to everybody`(text: String) {
        #expect(!PackageSources.ofModels.faults(in: text).isEmpty, "\(text)")
        #expect(!PackageSources.ofJobs.faults(in: text).isEmpty, "\(text)")
    }

    @Test(
        arguments: [
            "evil @ https://evil.example/evil.whl", "evil@file:///tmp/evil", "-e .",
            "--editable git+https://e", "https://evil.example/evil.whl", "./evil", "../evil.whl",
            "~/evil", "wheels/evil-1-py3-none-any.whl", "file:evil", "git+ssh://e/evil",
            "-r other.txt", "-c other.txt", "--requirement=https://e/r.txt", "numpy==${SECRET}",
            "C:\\evil.whl",
        ])
    func `a model names packages and no places`(text: String) {
        #expect(!PackageSources.ofModels.faults(in: text).isEmpty, "\(text)")
    }

    @Test(
        arguments: [
            "numpy", "scikit-learn==1.5.0", "xgboost>=2,<3 ; python_version >= '3.11'",
            "mlflow[extras]~=3.1", "numpy==2.0 --hash=sha256:\(String(repeating: "a", count: 64))",
            "numpy==2.0 \\\n    --hash=sha256:\(String(repeating: "a", count: 64))", "--pre",
            "# see https://example.org -- not an option\nnumpy", "numpy # -i is not meant",
            "--only-binary :all:", "torch==2.1.0+cpu", "",
        ])
    func `what models usually ask for is allowed`(text: String) {
        #expect(PackageSources.ofModels.faults(in: text).isEmpty, "\(text)")
        #expect(PackageSources.ofJobs.faults(in: text).isEmpty, "\(text)")
    }

    @Test(
        arguments: ["-r base.txt", "-e .", "own @ file:///home/ann/own", "own @ https://e/own.whl"])
    func `who runs a job may name own code`(text: String) {
        #expect(PackageSources.ofJobs.faults(in: text).isEmpty, "\(text)")
    }

    @Test func `a file from the net is none of the project's`() {
        #expect(!PackageSources.ofJobs.faults(in: "-r https://e/base.txt").isEmpty)
    }

    @Test func `a text of another encoding is none`() {
        #expect(RequirementLine.text(of: Data("numpy\n".utf8)) == "numpy\n")
        let other = "--index-url http://e\n".utf16.flatMap { [UInt8($0 & 0xFF), UInt8($0 >> 8)] }
        #expect(RequirementLine.text(of: Data([0xFF, 0xFE] + other)) == nil)
    }

    @Test func `a lock without a digest is known`() {
        let sum = String(repeating: "a", count: 64)
        #expect(PackageLock.isHashed("numpy==2.0 \\\n    --hash=sha256:\(sum)\n"))
        #expect(
            !PackageLock.isHashed("numpy==2.0 \\\n    --hash=sha256:\(sum)\nown @ file:///x\n"))
    }
}
