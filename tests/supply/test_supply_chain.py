"""Everything that is fetched is known by its SHA-256, and the bill of materials lists it."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path

import pytest
from aloft_server import ROOT

LOCKS = [
    *sorted((ROOT / "scripts/requirements").glob("*.txt")),
    ROOT / "python/requirements-test.txt",
    ROOT / "python/aloft_models/requirements/packages.txt",
]


@pytest.mark.parametrize("lock", LOCKS, ids=lambda path: path.stem)
def test_every_locked_package_has_digests_and_no_address(lock: Path) -> None:
    text = lock.read_text()
    entries = re.split(r"\n(?=[^\s])", text.strip())
    assert entries
    for entry in entries:
        assert re.match(r"[A-Za-z0-9._-]+==\S+", entry), entry.splitlines()[0]
        assert re.search(r"--hash=sha256:[0-9a-f]{64}", entry), entry.splitlines()[0]
    assert not re.search(r"https?:|file:|--index|--find-links|/", re.sub(r"sha256:\w+", "", text))


@pytest.mark.parametrize("lock", LOCKS, ids=lambda path: path.stem)
def test_a_lock_holds_what_its_source_asks_for(lock: Path) -> None:
    source = lock.with_suffix(".in").read_text()
    locked = dict(re.findall(r"^([A-Za-z0-9._-]+)==([^\s;\\]+)", lock.read_text(), re.M))
    known = {name.lower().replace("_", "-"): version for name, version in locked.items()}
    for line in source.splitlines():
        if not line or line.startswith("#"):
            continue
        name = re.match(r"[A-Za-z0-9._-]+", line)
        assert name, line
        version = known[name.group().lower().replace("_", "-")]
        exact = re.search(r"==([^\s;]+)", line)
        assert exact is None or exact.group(1) == version, line


def test_both_platforms_are_locked() -> None:
    """Compiled packages have a file for each platform, so more than one digest."""
    text = (ROOT / "scripts/requirements/onnxruntime.txt").read_text()
    assert text.count("--hash=sha256:") > 4


def test_setup_installs_by_digest_only() -> None:
    text = re.sub(r"\\\n\s*", " ", (ROOT / "scripts/setup").read_text())
    for line in text.splitlines():
        if re.search(r'"\$uv" pip install|-m pip install|"\$\{install\[@\]\}"', line):
            is_own = "--no-deps --no-build-isolation -e python" in line
            is_start = line.strip().startswith("local install=")
            assert is_own or is_start or "--require-hashes" in line, line


def test_swift_packages_are_exact() -> None:
    text = (ROOT / "Package.swift").read_text()
    declared = re.findall(r"\.package\(\s*url:[^)]*\)", text)
    assert len(declared) > 10
    assert all("exact:" in line for line in declared)


def sbom(target: Path) -> dict:  # type: ignore[type-arg]
    environment = {**os.environ, "SOURCE_DATE_EPOCH": "1700000000"}
    subprocess.run([ROOT / "scripts/sbom", target], env=environment, check=True, timeout=120)
    return dict(json.loads(target.read_text()))


def test_the_bill_of_materials_is_spdx(tmp_path: Path) -> None:
    """The fields that SPDX 2.3 requires, clauses 6, 7 and 11."""
    document = sbom(tmp_path / "one.json")
    sbom(tmp_path / "two.json")
    assert (tmp_path / "one.json").read_bytes() == (tmp_path / "two.json").read_bytes()
    assert document["spdxVersion"] == "SPDX-2.3"
    assert document["dataLicense"] == "CC0-1.0"
    assert document["SPDXID"] == "SPDXRef-DOCUMENT"
    assert document["name"].startswith("aloft-")
    assert re.fullmatch(r"[a-z]+:[^#\s]+", document["documentNamespace"])
    assert document["creationInfo"]["created"] == "2023-11-14T22:13:20Z"
    assert all(
        re.match(r"(Tool|Person|Organization): ", creator)
        for creator in document["creationInfo"]["creators"]
    )
    names = [package["SPDXID"] for package in document["packages"]]
    assert len(names) == len(set(names))
    for package in document["packages"]:
        assert re.fullmatch(r"SPDXRef-[A-Za-z0-9.-]+", package["SPDXID"])
        assert package["name"]
        assert package["downloadLocation"]
        assert package["filesAnalyzed"] is False
        for entry in package.get("checksums", []):
            assert entry["algorithm"] == "SHA256"
            assert re.fullmatch(r"[0-9a-f]{64}", entry["checksumValue"])
        for reference in package["externalRefs"]:
            assert reference["referenceLocator"].startswith("pkg:")
    known = {*names, "SPDXRef-DOCUMENT"}
    for relation in document["relationships"]:
        assert relation["spdxElementId"] in known
        assert relation["relatedSpdxElement"] in known
    described = [
        relation["relatedSpdxElement"]
        for relation in document["relationships"]
        if relation["relationshipType"] == "DESCRIBES"
    ]
    assert described == ["SPDXRef-aloft"]
    # Of each kind something, and each known by version.
    by_kind = {name.split("-")[1] for name in names}
    assert {"swift", "pypi", "deb"} <= by_kind
    assert all(
        "versionInfo" in package
        for package in document["packages"]
        if not package["SPDXID"].startswith("SPDXRef-deb")
    )
