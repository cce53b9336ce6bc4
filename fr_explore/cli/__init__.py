"""The command `fr-explore`: the library without a notebook. The modules of this package hold its commands."""

from __future__ import annotations

import argparse
import atexit
import errno
import importlib
import itertools
import json
import os
import shlex
import sys
import warnings
from collections.abc import Sequence
from importlib.metadata import version
from typing import Any

__all__ = ["main"]

DESCRIPTION = """\
A laboratory for the geometry of face-recognition embeddings.

  fr-explore lab                                           open the notebooks
  fr-explore embed avatars:12 --model dlib --attributes age,hue --out run.zarr
  fr-explore energy run.zarr --neighborhood knn:10         which attributes does the model depend on?
  fr-explore report dlib controlled/all-varied --out report.html
"""
EPILOG = """\
Results go to standard output, progress and warnings to standard error. --json prints results for programs.
Exit status: 0 success, 1 failure (one line says why and what to do; --debug shows where), 2 wrong usage, 130 stopped
by Ctrl-C: finished work is kept, and the same command continues from there.
"""
# what to do if the system rejects a file or folder
NEXT = {
    errno.ENOENT: "check the name, or create the folder first",
    errno.EACCES: "choose a place that you may read and write",
    errno.EROFS: "choose a place that is writable",
    errno.ENOSPC: "free some disk space; the same command then continues",
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status, see EPILOG."""
    with warnings.catch_warnings():  # restored afterwards: `main` is called from notebooks too
        warnings.showwarning = _show_warning
        arguments = sys.argv[1:] if arguments is None else list(arguments)
        options = _parse(arguments)
        options.command = shlex.join(["fr-explore", *arguments])
        return _run(options)


def _run(options: argparse.Namespace) -> int:
    try:
        module, _, name = options.run.partition(".")
        text, data = getattr(importlib.import_module(f".{module}", __package__), name)(options)
        text = json.dumps(data, indent=2, default=str) if options.json else text
        encoding = sys.stdout.encoding or "utf-8"  # of a terminal that may lack a letter of a file's name
        print(text.encode(encoding, "backslashreplace").decode(encoding), flush=True)
    except BrokenPipeError:  # the reader, such as `head`, has closed the pipe
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except KeyboardInterrupt:
        atexit.register(_silence_errors)
        print("\nfr-explore: stopped; finished work is kept: the same command continues from there.", file=sys.stderr)
        return 130
    except Exception as error:
        if options.debug:
            raise
        print(f"fr-explore: {' '.join(_words(error).split())}", file=sys.stderr)
        return 1
    return 0


def _silence_errors() -> None:
    """Silence what asyncio and Python report about a read that Zarr had begun when the process ends."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)


def _words(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror and error.filename:
        what = NEXT.get(error.errno or 0, "check it, or choose another")
        return f"{str(error.filename)!r}: {error.strerror}: {what}."
    known = isinstance(error, (OSError, ValueError, ImportError, RuntimeError, TypeError))
    return str(error) if known and str(error) else f"{type(error).__name__}: {error} (--debug shows where)"


def _show_warning(message: Any, category: type[Warning], *rest: Any) -> None:
    """Print a warning as one line; hide those for programmers."""
    if issubclass(category, UserWarning):
        print(f"fr-explore: {' '.join(str(message).split())}", file=sys.stderr)


def _parse(arguments: list[str]) -> argparse.Namespace:
    """The options of the command; `lab` passes those that it does not know on to JupyterLab."""
    parser, passed = _parser(), []
    if arguments[:1] == ["lab"] and "--" in arguments:
        cut = arguments.index("--")
        arguments, passed = arguments[:cut], arguments[cut + 1 :]
    options, unknown = parser.parse_known_args(arguments)
    values = {word for word, after in itertools.pairwise(arguments) if "=" not in word and not after.startswith("-")}
    loose = [word for word in unknown if not word.startswith("-") or word in values]
    if options.run != "lab.lab" and unknown:
        parser.error(f"unrecognized arguments: {' '.join(unknown)}")
    if loose:
        parser.error(
            f"unrecognized arguments: {' '.join(loose)}; write options of JupyterLab as --name=value, or after --"
        )
    options.passed = [*unknown, *passed]
    return options


def _parser() -> argparse.ArgumentParser:
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser("fr-explore", description=DESCRIPTION, epilog=EPILOG, formatter_class=raw)
    parser.add_argument("--version", action="version", version=f"fr-explore {version('fr-explore')}")
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--json", action="store_true", help="print the result as JSON")
    common.add_argument("--quiet", action="store_true", help="no progress bars")
    common.add_argument("--debug", action="store_true", help="show where an error comes from")
    commands = parser.add_subparsers(required=True, metavar="COMMAND", title="commands")

    def command(name: str, run: str, about: str, example: str, within: Any = commands) -> argparse.ArgumentParser:
        one = within.add_parser(
            name, parents=[common], help=about, description=f"{about[0].upper()}{about[1:]}.",
            epilog=f"example:\n  fr-explore {example}", formatter_class=raw,
        )  # fmt: skip
        one.set_defaults(run=run)
        return one

    _laboratory(command)
    _measurements(command)
    _registry(command)
    return parser


def _laboratory(command: Any) -> None:
    lab = command("lab", "lab.lab", "open the laboratory in the browser", "lab ~/course")
    about = "folder of the notebooks, which are copied there if missing"
    lab.add_argument("folder", nargs="?", default=".", help=about)
    lab.add_argument("--no-browser", action="store_true", help="only print the address")
    lab.add_argument("--port", type=_port, default=8888, help="use the first free port from this one (%(default)s)")
    about = "run as root, as in a container; any other option goes to JupyterLab, such as --ip=0.0.0.0"
    lab.add_argument("--allow-root", action="store_true", help=about)
    command("doctor", "doctor.doctor", "check this installation: packages, devices, folders, widgets", "doctor --json")


def _measurements(command: Any) -> None:
    example = "embed photos/ --model dlib --out run.zarr"
    embed = command("embed", "measure.embed", "embeddings of faces, into a store", example)
    embed.add_argument("faces", metavar="FOLDER", help="photographs; or avatars:N for N avatars")
    embed.add_argument("--model", required=True, help="a name that `fr-explore models` lists, or an .onnx file")
    embed.add_argument("--card", help="for an .onnx file: arcface, adaface or sface")
    embed.add_argument("--out", required=True, metavar="STORE", help="a Zarr store; an unfinished one is completed")
    about = "attributes to vary, such as age,hue; without them, the images are used unchanged"
    embed.add_argument("--attributes", type=_names, help=about)
    embed.add_argument("--table", help="CSV in the folder with columns file, identity and labels")
    embed.add_argument("--labels", type=_names, help="the columns that are labels; by default all that look like it")
    _shared(embed, "--column", "--curves", "--workers", "--seed")
    example = "energy run.zarr --attribute age --neighborhood knn:10"
    energy = command("energy", "measure.energy", "alignment energy of each attribute in a store", example)
    energy.add_argument("--attribute", action="append", metavar="NAME", help="use only this attribute; may be repeated")
    _shared(energy, "--neighborhood", "--null-draws", "--workers")
    example = "macroscale people.zarr --json"
    macroscale = command("macroscale", "measure.macroscale", "KS of every label in a store", example)
    macroscale.add_argument("--permutations", type=int, default=200, help="draws of the null model (%(default)s)")
    verify = command("verify", "measure.verify", "error rates and a threshold from a store", "verify people.zarr")
    verify.add_argument("--pairs", help="CSV with the columns first, second, same")
    _shared(verify, "--column")
    for each in (energy, macroscale, verify):
        each.add_argument("store", help="a store written by `fr-explore embed`")
        each.add_argument("--out", metavar="CSV", help="also write every row here")
        _shared(each, "--seed")
    example = "report dlib controlled/all-varied --out report.html"
    report = command("report", "measure.report", "compare models on the same faces, in one HTML file", example)
    _shared(report, "models")
    report.add_argument("--out", default="report.html", help="(%(default)s)")
    report.add_argument("--photos", metavar="FOLDER", help="use these photographs instead of avatars")
    report.add_argument("--identities", type=int, default=8, help="number of avatars (%(default)s)")
    about = "attributes to vary, such as age,hue; by default the paper's eight"
    report.add_argument("--attributes", type=_names, help=about)
    _shared(report, "--curves", "--neighborhood", "--null-draws", "--seed")


def _registry(command: Any) -> None:
    command("models", "registry_commands.models", "list the models, with their licences", "models")
    about = "download a model's weights and verify them"
    _shared(command("fetch", "registry_commands.fetch", about, "fetch facenet-vggface2"), "models")
    cache = command("cache", "", "show or clear the embeddings and weights on disk", "cache list")
    actions = cache.add_subparsers(required=True, metavar="ACTION")
    command("list", "registry_commands.cache_list", "show folders, numbers and sizes", "cache list", actions)
    clear = command("clear", "registry_commands.cache_clear", "delete the cached embeddings", "cache clear", actions)
    clear.add_argument("--weights", action="store_true", help="also delete the downloaded weights")
    clear.add_argument("--outdated", action="store_true", help="delete only embeddings that an earlier version stored")


def _shared(parser: argparse.ArgumentParser, *names: str) -> None:
    """Add arguments that several commands have."""
    for name in names:
        parser.add_argument(name, **SHARED[name])


def _count(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"invalid number of processes {text!r}: give 0, 2, 4 or another")
    return int(text)


def _port(text: str) -> int:
    if not (text.isdecimal() and 0 < int(text) < 65536):
        raise argparse.ArgumentTypeError(f"invalid port {text!r}: give a number from 1 to 65535")
    return int(text)


def _renamed(text: str) -> tuple[str, str]:
    meaning, equals, name = text.partition("=")
    if not (meaning and equals and name):
        raise argparse.ArgumentTypeError(f"{text!r} renames no column: write identity=Person")
    return meaning, name


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


SHARED: dict[str, dict[str, Any]] = {
    "models": {"nargs": "+", "metavar": "MODEL", "help": "names that `fr-explore models` lists"},
    "--curves": {"type": int, "default": 100, "help": "base points for each identity (%(default)s)"},
    "--neighborhood": {"default": "knn:10", "help": "such as knn:10, ball:0.6, all_pairs (%(default)s)"},
    "--null-draws": {"type": int, "default": 200, "help": "random fields to compare with (%(default)s)"},
    "--seed": {"type": int, "default": 0, "help": "of all random draws (%(default)s)"},
    "--column": {
        "type": _renamed,
        "action": "append",
        "default": [],
        "metavar": "NAME=COLUMN",
        "help": "what a column of the table is called, such as identity=Person; may be repeated",
    },
    "--workers": {"type": _count, "default": 0, "help": "processes on this machine (none)"},
}
