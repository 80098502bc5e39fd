"""`monthend load`: a catalogue, customers, or both."""

from pathlib import Path
from typing import Annotated

import typer

from cli.loading.catalogue_file import CatalogueRefused
from cli.loading.inputs import read_load
from cli.loading.load import Loader
from cli.loading.row_report import any_refused, load_json, load_summary, load_table
from cli.loading.yaml_lines import FileFault
from cli.stack.global_options import Chosen
from cli.terminal.errors import ExitCode
from cli.terminal.output import complain, progress, show


def load(
    context: typer.Context,
    paths: Annotated[list[Path], typer.Argument(metavar="FILE_OR_FOLDER...")],
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="read and check, write nothing")
    ] = False,
) -> None:
    """Store a catalogue and customers from YAML or CSV; again is safe."""
    chosen: Chosen = context.obj
    try:
        wanted = read_load(paths)
    except CatalogueRefused as refused:
        _refuse_all(refused.faults, chosen.as_json)
        return
    loader = Loader(chosen.connect().accounts, dry_run)
    with progress("rows", lambda: wanted.size) as advance:
        rows = loader.load(wanted, advance)
    body = load_json(rows, dry_run)
    show(chosen.as_json, body, lambda: load_table(rows), load_summary(rows, dry_run))
    if any_refused(rows):
        raise typer.Exit(ExitCode.REFUSED)


def _refuse_all(faults: tuple[FileFault, ...], as_json: bool) -> None:
    for fault in faults:
        complain(f"{fault.place}: {fault.reason}")
    complain("The catalogue is refused as a whole; nothing was written.")
    if as_json:
        rows = [{"place": fault.place, "reason": fault.reason} for fault in faults]
        show(as_json, {"catalogue_refused": rows}, lambda: load_table([]))
    raise typer.Exit(ExitCode.REFUSED)
