"""The functions as `sam build` leaves them: what each is made of, and how large it is unpacked."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.harness.environment import FUNCTION
from benchmarks.harness.results import Row, Spread
from benchmarks.harness.targets import PACKAGE_MB
from local.build import BUILT_TEMPLATE, MARK, sources_digest
from local.environment import ROOT
from local.template import resources, template

GROUP = "Package with its layers, unpacked (MB of 10^6 bytes)"
BYTES_IN_A_MB = 1_000_000
BUILD = BUILT_TEMPLATE.parent


@dataclass(frozen=True, slots=True)
class FunctionPackage:
    """A function of the template by its logical id, with the logical ids of its layers."""

    logical_id: str
    source: Path
    layers: tuple[str, ...]

    @property
    def name(self) -> str:
        """The name of its folder, such as `rollup_tenant`."""
        return self.source.name

    def built_folders(self) -> list[Path]:
        """Returns the folders of its built code and layers, in order of precedence."""
        return [BUILD / self.logical_id, *(BUILD / layer for layer in self.layers)]


def functions() -> list[FunctionPackage]:
    """Returns all functions of the template."""
    usual = template()["Globals"]["Function"].get("Layers", [])
    return [
        _function(logical_id, resource["Properties"], usual)
        for logical_id, resource in resources(FUNCTION).items()
    ]


def _function(logical_id: str, properties: dict[str, Any], usual: list[Any]) -> FunctionPackage:
    layers = [*usual, *properties.get("Layers", [])]
    return FunctionPackage(
        logical_id, ROOT / properties["CodeUri"], tuple(layer["Ref"] for layer in layers)
    )


def is_built(function: FunctionPackage) -> bool:
    """Returns whether the function and all of its layers have been built."""
    return all(folder.is_dir() for folder in function.built_folders())


def build_note() -> str:
    """Returns a note on a missing or outdated build; an empty text if it is up to date."""
    if not BUILD.is_dir():
        return "Not built: run `sam build` (or `make up`) to measure what ships as well."
    if MARK.exists() and MARK.read_text() == sources_digest():
        return ""
    return "The build is not of these very sources; `make up` builds anew."


def package_rows() -> list[Row]:
    """Returns the size of every function that is built."""
    return [_row(function) for function in functions() if is_built(function)]


def _row(function: FunctionPackage) -> Row:
    sizes = {folder.name: folder_bytes(folder) for folder in function.built_folders()}
    spread = Spread.counted(sum(sizes.values()) / BYTES_IN_A_MB)
    detail = ", ".join(f"{name} {size / BYTES_IN_A_MB:.2f}" for name, size in sizes.items())
    return Row(GROUP, function.name, spread, "MB", detail, PACKAGE_MB)


def folder_bytes(folder: Path) -> int:
    """Returns the total size of all files under a folder, as Lambda counts it."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
