"""A build is repeated when what it depends on has changed, and only then."""

from pathlib import Path

import pytest

from local import build


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in (
        "template.yaml",
        "requirements/sam.txt",
        "functions/f/handler.py",
        "layers/l/m.py",
    ):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    monkeypatch.setattr(build, "ROOT", tmp_path)
    monkeypatch.setattr(build, "TEMPLATE", tmp_path / "template.yaml")
    return tmp_path


@pytest.mark.parametrize(
    "name",
    ["template.yaml", "requirements/sam.txt", "functions/f/handler.py", "layers/l/new/added.txt"],
)
def test_every_source_counts(checkout: Path, name: str) -> None:
    before = build.sources_digest()
    (checkout / name).parent.mkdir(exist_ok=True)
    (checkout / name).write_text("changed")
    assert build.sources_digest() != before


def test_a_source_that_moves_counts(checkout: Path) -> None:
    before = build.sources_digest()
    (checkout / "layers/l/m.py").rename(checkout / "layers/l/n.py")
    assert build.sources_digest() != before


def test_the_architecture_counts(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    digests = set()
    for machine in ("x86_64", "arm64"):
        monkeypatch.setattr(build, "architecture", lambda machine=machine: machine)
        digests.add(build.sources_digest())
    assert len(digests) == 2


def test_compiled_files_do_not_count(checkout: Path) -> None:
    before = build.sources_digest()
    (checkout / "layers/l/__pycache__").mkdir()
    (checkout / "layers/l/__pycache__/m.pyc").write_bytes(b"compiled")
    assert build.sources_digest() == before
