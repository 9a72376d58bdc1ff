"""`preflight model`: check models and show what a device of a model can do."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from harness.cli import FINDINGS, GOOD, USAGE
from harness.dtdl.defaults import FOLDER, PUBLIC_REPOSITORY, usual

if TYPE_CHECKING:
    from harness.dtdl.repository.checking import Finding

_FEW = 50
"""Files up to which no progress is shown."""

_CHECK_EPILOG = f"""\
A file in repository layout (below a directory named dtmi) finds what it depends on in its repository; the files of
one command find each other; --repo adds locations: directories, files, https URLs such as {PUBLIC_REPOSITORY}.
An id is looked up in the --repo locations, by default in ./{FOLDER} or ./dtmi and in
{PUBLIC_REPOSITORY}.

examples:
  preflight model check models/                      a whole repository
  preflight model check thermostat.json --repo models/
  preflight model check --strict models/dtmi/com/example/thermostat-1.json
  preflight model check "dtmi:com:example:Thermostat;1"

Findings: path:line: rule: sentence. Exit codes: 0 none (warnings aside), 1 findings, 2 usage.
"""

_SHOW_EPILOG = """\
examples:
  preflight model show "dtmi:com:example:Thermostat;1" --repo models/
  preflight model show models/dtmi/com/example/thermostat-1.json --json

Exit codes: 0 shown, 1 the model is invalid or not found, 2 usage.
"""


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = subparsers.add_parser(
        "model", help="check DTDL models, or show what one declares", description="Check DTDL models, or show one."
    )
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    check = _action(actions, "check", "check files, whole repositories or ids", _CHECK_EPILOG)
    check.add_argument("targets", nargs="+", metavar="PATH|DTMI", help="file, directory or model id")
    check.add_argument("--strict", action="store_true", help="add the public repository's rules for submissions")
    check.set_defaults(run=run_check)
    show = _action(actions, "show", "show the telemetry, properties and commands of a model", _SHOW_EPILOG)
    show.add_argument("target", metavar="DTMI|PATH", help="model id or file")
    show.set_defaults(run=run_show)


def _action(
    actions: argparse._SubParsersAction[argparse.ArgumentParser], name: str, text: str, epilog: str
) -> argparse.ArgumentParser:
    parser = actions.add_parser(
        name,
        help=text,
        description=text[0].upper() + text[1:] + ".",
        epilog=epilog,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--repo", metavar="LOCATION", action="append", default=[], help="where models are looked up; may repeat"
    )
    parser.add_argument(
        "--max-version", type=int, choices=(2, 3, 4), default=4, help="highest DTDL version accepted (default: 4)"
    )
    parser.add_argument("--json", action="store_true", help="print JSON")
    return parser


def run_check(args: argparse.Namespace) -> int:
    from harness.dtdl.repository.checking import Checker, files_of

    ids = [target for target in args.targets if target.startswith("dtmi:")]
    repos = args.repo or (_default_repos() if ids else [])
    try:
        files = [file for target in args.targets if target not in ids for file in files_of(Path(target))]
        checker = Checker(repos, files, strict=args.strict, max_version=args.max_version)
    except ValueError as error:
        print(f"preflight model check: {error}", file=sys.stderr)
        return USAGE
    findings: list[Finding] = []
    with closing(checker), _progress(len(files)) as (say, advance):
        for batch in chain(map(checker.file, files), map(checker.dtmi, ids)):
            findings += batch
            for finding in () if args.json else batch:
                say(str(finding))
            advance()
    errors = sum(each.severity == "error" for each in findings)
    if args.json:
        print(json.dumps({"checked": len(files) + len(ids), "findings": [asdict(each) for each in findings]}, indent=2))
    else:
        print(_summary(len(files), len(ids), errors, len(findings) - errors), file=sys.stderr)
    return FINDINGS if errors else GOOD


def run_show(args: argparse.Namespace) -> int:
    from harness.cli.model_table import print_table, rows
    from harness.dtdl.repository import InvalidModel, ModelNotFound
    from harness.dtdl.repository.checking import resolve_target

    is_id = args.target.startswith("dtmi:")
    repos = args.repo or (_default_repos() if is_id else [])
    try:
        resolved = resolve_target(args.target, repos, max_version=args.max_version)
    except (InvalidModel, ModelNotFound) as error:
        print(f"preflight model show: {error}", file=sys.stderr)
        return FINDINGS
    except ValueError as error:
        print(f"preflight model show: {error}", file=sys.stderr)
        return USAGE
    if args.json:
        shown = {"model": resolved.dtmi, "location": resolved.location, "capabilities": rows(resolved)}
        print(json.dumps(shown, indent=2))
    else:
        print_table(resolved)
    return GOOD


def _default_repos() -> list[str]:
    *here, public = usual()
    return [*here, *(["."] if Path("dtmi").is_dir() else []), public]


def _summary(files: int, ids: int, errors: int, warnings: int) -> str:
    checked = " and ".join(
        _counted(number, noun) for number, noun in ((files, "file"), (ids, "id")) if number or not files + ids
    )
    found = [_counted(errors, "error")] * bool(errors) + [_counted(warnings, "warning")] * bool(warnings)
    return f"{checked} checked: {', '.join(found) or 'no findings'}"


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


@contextmanager
def _progress(total: int) -> Iterator[tuple[Callable[[str], object], Callable[[], object]]]:
    """How to print a line, and what to call after each file; long runs at a terminal show a bar on standard error."""
    if total <= _FEW or not sys.stderr.isatty():
        yield print, lambda: None
        return
    from rich.console import Console
    from rich.progress import Progress
    from rich.text import Text

    console = Console(stderr=True)
    with Progress(console=console, transient=True, redirect_stdout=False) as bar:
        task = bar.add_task("checking models", total=total)
        shared = sys.stdout.isatty()
        say = (lambda line: console.print(Text(line), soft_wrap=True)) if shared else print
        yield say, lambda: bar.advance(task)
