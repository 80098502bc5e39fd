"""Runs `sam build` at most once for the same sources, even if several processes ask at once."""

import fcntl
import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from local import processes
from local.environment import ROOT, STATE, architecture, for_build, tool

TEMPLATE = ROOT / "template.yaml"
BUILT_TEMPLATE = ROOT / ".aws-sam" / "build" / "template.yaml"
# Inside the folder that every `sam build` empties first: a build by hand, perhaps for another
# architecture, deletes this mark.
MARK = BUILT_TEMPLATE.with_name("sources.sha256")
SOURCES = ("layers", "functions")
NOT_SOURCES = frozenset(("__pycache__", ".mypy_cache", ".ruff_cache", ".pytest_cache"))


def _source_files() -> Iterator[Path]:
    yield TEMPLATE
    yield ROOT / "requirements" / "sam.txt"
    for folder in SOURCES:
        for path in sorted((ROOT / folder).rglob("*")):
            if path.is_file() and NOT_SOURCES.isdisjoint(path.parts):
                yield path


def sources_digest() -> str:
    """Returns a digest of everything that a build depends on."""
    digest = hashlib.sha256(architecture().encode())
    for path in _source_files():
        content = hashlib.sha256(path.read_bytes()).hexdigest()
        digest.update(f"{path.relative_to(ROOT)} {content}\n".encode())
    return digest.hexdigest()


@contextmanager
def _one_at_a_time() -> Iterator[None]:
    STATE.mkdir(exist_ok=True)
    with (STATE / "build.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def build() -> bool:
    """Builds what has changed, for this machine's architecture; returns False if nothing had."""
    with _one_at_a_time():
        digest = sources_digest()
        if MARK.exists() and MARK.read_text() == digest:
            return False
        arguments = ["build", "--cached", "--parallel"]
        arguments += ["--parameter-overrides", f"Architecture={architecture()}"]
        command: list[str | Path] = [tool(".tools/sam", "sam"), *arguments]
        processes.run(command, for_build(), STATE / "sam-build.log", "sam build")
        MARK.write_text(digest)
        return True
