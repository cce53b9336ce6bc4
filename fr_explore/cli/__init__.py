"""The command `fr-explore`: the library without a notebook. What each command does stands in the modules beside."""

from __future__ import annotations

import argparse
import atexit
import errno
import importlib
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
  fr-explore energy run.zarr --neighborhood knn:10         on what does the model depend?
  fr-explore report dlib controlled/all-varied --out report.html
"""
EPILOG = """\
Results go to standard output, progress and remarks to standard error. --json gives numbers to programs.
Exit status: 0 done, 1 failed (one line says why and what to do; --debug shows where), 2 wrong use, 130 stopped by
Ctrl-C: what was finished is kept, and the same command goes on from there.
"""
# what to do where the system refuses a file or folder
NEXT = {
    errno.ENOENT: "check the name, or make the folder first",
    errno.EACCES: "name a place that you may read and write",
    errno.EROFS: "name a place that can be written",
    errno.ENOSPC: "make room on the disk; the same command then goes on",
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status, see EPILOG."""
    with warnings.catch_warnings():  # put back afterwards: `main` is called from notebooks too
        warnings.showwarning = _remark
        arguments = sys.argv[1:] if arguments is None else list(arguments)
        options = _parser().parse_args(arguments)
        options.command = shlex.join(["fr-explore", *arguments])
        return _run(options)


def _run(options: argparse.Namespace) -> int:
    try:
        module, _, name = options.run.partition(".")
        text, data = getattr(importlib.import_module(f".{module}", __package__), name)(options)
        print(json.dumps(data, indent=2, default=str) if options.json else text, flush=True)
    except BrokenPipeError:  # the reader, such as `head`, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except KeyboardInterrupt:
        atexit.register(_end_quietly)
        print("\nfr-explore: stopped; what was finished is kept: the same command goes on from there.", file=sys.stderr)
        return 130
    except Exception as error:
        if options.debug:
            raise
        print(f"fr-explore: {' '.join(_words(error).split())}", file=sys.stderr)
        return 1
    return 0


def _end_quietly() -> None:
    """A read that Zarr had begun is dropped when the process ends; asyncio and Python would report that at length."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)


def _words(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror and error.filename:
        what = NEXT.get(error.errno or 0, "see what is there, or name another")
        return f"{str(error.filename)!r}: {error.strerror}: {what}."
    known = isinstance(error, (OSError, ValueError, ImportError, RuntimeError, TypeError))
    return str(error) if known and str(error) else f"{type(error).__name__}: {error} (--debug shows where)"


def _remark(message: Any, category: type[Warning], *rest: Any) -> None:
    """A warning as one line; those that concern programmers stay silent."""
    if issubclass(category, UserWarning):
        print(f"fr-explore: {' '.join(str(message).split())}", file=sys.stderr)


def _parser() -> argparse.ArgumentParser:
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser("fr-explore", description=DESCRIPTION, epilog=EPILOG, formatter_class=raw)
    parser.add_argument("--version", action="version", version=f"fr-explore {version('fr-explore')}")
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--json", action="store_true", help="the result as JSON")
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
    _stock(command)
    return parser


def _laboratory(command: Any) -> None:
    lab = command("lab", "lab.lab", "open the laboratory in the browser", "lab ~/course")
    lab.add_argument("folder", nargs="?", default=".", help="where the notebooks are, or are put if there are none")
    lab.add_argument("--no-browser", action="store_true", help="print the address and open nothing")
    lab.add_argument("--port", type=int, default=8888, help="the first free port from here on (%(default)s)")
    command("doctor", "doctor.doctor", "check this installation: packages, devices, folders, widgets", "doctor --json")


def _measurements(command: Any) -> None:
    embed = command(
        "embed", "measure.embed", "embeddings of faces, into a store", "embed photos/ --model dlib --out run.zarr"
    )
    embed.add_argument("faces", metavar="FOLDER", help="of photographs; or avatars:N for N avatars")
    embed.add_argument("--model", required=True, help="a name that `fr-explore models` lists, or an .onnx file")
    embed.add_argument("--card", help="for an .onnx file: arcface, adaface or sface")
    embed.add_argument("--out", required=True, metavar="STORE", help="a Zarr store; one begun is completed")
    embed.add_argument("--attributes", type=_names, help="walk along these, such as age,hue; without: pictures as is")
    embed.add_argument("--table", help="CSV of the folder with columns file, identity and labels")
    embed.add_argument("--curves", type=int, default=100, help="base points for each identity (%(default)s)")
    embed.add_argument("--workers", type=_count, default=0, help="processes on this machine (none)")
    embed.add_argument("--seed", type=int, default=0)
    energy = command(
        "energy", "measure.energy", "alignment energy of each attribute of a store",
        "energy run.zarr --attribute age --neighborhood knn:10",
    )  # fmt: skip
    energy.add_argument("--attribute", action="append", metavar="NAME", help="only this one; may be repeated")
    energy.add_argument("--neighborhood", default="knn:10", help="knn:10, ball:0.6, all_pairs (%(default)s)")
    energy.add_argument("--null-draws", type=int, default=200, help="random fields to compare with (%(default)s)")
    energy.add_argument("--workers", type=_count, default=0, help="processes on this machine (none)")
    macroscale = command(
        "macroscale", "measure.macroscale", "KS of every label of a store", "macroscale people.zarr --json"
    )
    macroscale.add_argument("--permutations", type=int, default=200, help="of the null model (%(default)s)")
    verify = command("verify", "measure.verify", "error rates and a threshold from a store", "verify people.zarr")
    verify.add_argument("--pairs", help="CSV with the columns first, second, same")
    for each in (energy, macroscale, verify):
        each.add_argument("store", help="that `fr-explore embed` wrote")
        each.add_argument("--out", metavar="CSV", help="also write every row here")
        each.add_argument("--seed", type=int, default=0)
    report = command(
        "report", "measure.report", "compare models on the same faces, in one HTML file",
        "report dlib controlled/all-varied --out report.html",
    )  # fmt: skip
    report.add_argument("models", nargs="+", metavar="MODEL", help="names that `fr-explore models` lists")
    report.add_argument("--out", default="report.html", help="(%(default)s)")
    report.add_argument("--photos", metavar="FOLDER", help="of photographs in place of avatars")
    report.add_argument("--identities", type=int, default=8, help="avatars (%(default)s)")
    report.add_argument("--attributes", type=_names, help="such as age,hue; by default the paper's eight")
    report.add_argument("--curves", type=int, default=100, help="base points for each identity (%(default)s)")
    report.add_argument("--neighborhood", default="knn:10", help="(%(default)s)")
    report.add_argument("--null-draws", type=int, default=200, help="(%(default)s)")
    report.add_argument("--seed", type=int, default=0)


def _stock(command: Any) -> None:
    command("models", "registry_commands.models", "list the models, with their licences", "models")
    fetch = command(
        "fetch",
        "registry_commands.fetch",
        "bring a model's weights to this machine and verify them",
        "fetch facenet-vggface2",
    )
    fetch.add_argument("models", nargs="+", metavar="MODEL", help="a name that `fr-explore models` lists")
    cache = command("cache", "", "what is kept on disk: embeddings and weights", "cache list")
    actions = cache.add_subparsers(required=True, metavar="ACTION")
    command("list", "registry_commands.cache_list", "folders, numbers and sizes", "cache list", actions)
    clear = command("clear", "registry_commands.cache_clear", "delete the cached embeddings", "cache clear", actions)
    clear.add_argument("--weights", action="store_true", help="and the fetched weights")


def _count(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is no number of processes: give 0 for none, 2, 4 or another")
    return int(text)


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]
