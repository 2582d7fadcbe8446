"""The `clary` command."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from clary import __version__
from clary.settings import SettingsError


def main(arguments: Sequence[str] | None = None) -> int:
    parser = _parser()
    options = parser.parse_args(arguments)
    try:
        return int(options.run(options) or 0)
    except SettingsError as error:
        print(f"clary: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="clary", description="An open, self-hosted SageMaker.")
    parser.add_argument("--version", action="version", version=f"clary {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    _server_commands(commands)
    _client_commands(commands)
    return parser


def _server_commands(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    from clary.cli import link, up

    command = _add(commands, "up", "start Clary and its Studio on this machine", up.run)
    command.add_argument("--host", help="address to listen on (127.0.0.1)")
    command.add_argument("--port", type=int, help="port to listen on (8180)")
    command.add_argument("--database", help="URL of the records, e.g. postgresql://USER@HOST/NAME")
    command.add_argument(
        "--objects", help="URL of an S3 that keeps the objects, e.g. https://HOST/BUCKET (this disk)"
    )
    command.add_argument("--cpus", type=int, help="cores that jobs may use together (all)")
    _add(commands, "link", "print a fresh sign-in link for the Studio", link.run)


def _client_commands(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    from clary.cli import client

    _add(commands, "env", 'print the variables that point AWS clients here: eval "$(clary env)"', client.env)
    command = _add(
        commands, "run", "run a command with those variables: clary run -- python train.py", client.run
    )
    command.add_argument("command", nargs=argparse.REMAINDER, help="the command and its arguments")
    command = _add(commands, "demo", "run the main job against a running Clary, as a client would", _demo)
    command.add_argument(
        "--serve", action="store_true", help="start a Clary for it, and go on serving after it"
    )
    command.add_argument("--once", action="store_true", help="with --serve: stop at the end")
    command.add_argument("--host", help="with --serve: address to listen on")
    command.add_argument("--port", type=int, help="with --serve: port to listen on")
    _clarify_command(commands)
    _add(
        commands,
        "coverage",
        "print the table of AWS operations that are built, as Markdown",
        _coverage,
        home=False,
    )


def _clarify_command(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    command = _add(
        commands, "clarify", "measure bias and explain a model, without a server", _clarify, home=False
    )
    command.add_argument(
        "config",
        help="analysis_config.json, as SageMaker Clarify has it; with --constraints also an analysis.json",
    )
    command.add_argument("--data", help="file, folder or s3:// URI of the data set (dataset_uri)")
    command.add_argument("--output", required=True, help="folder for analysis.json and the reports")
    command.add_argument("--model", help="model.tar.gz or its folder; else predictor.endpoint_name is asked")
    command.add_argument(
        "--constraints", help="analysis.json of a baseline: exit status 3 where this data drifts from it"
    )
    command.add_argument("--ground-truth", help="folder or s3:// URI of the labels of captured requests")
    command.add_argument("--json", action="store_true", help="print the result as JSON; progress to stderr")


def _add(
    commands: argparse._SubParsersAction[argparse.ArgumentParser],
    name: str,
    help: str,
    run: object,
    home: bool = True,
) -> argparse.ArgumentParser:
    command = commands.add_parser(name, help=help, description=help)
    if home:
        command.add_argument("--home", help="where Clary keeps everything (~/.clary)")
    command.set_defaults(run=run)
    return command


def _demo(options: argparse.Namespace) -> int:
    from clary.cli.demo.command import run

    return run(options)


def _clarify(options: argparse.Namespace) -> int:
    from clary.cli.clarify import run

    return run(options)


def _coverage(options: argparse.Namespace) -> int:
    from clary.cli.coverage import run

    return run(options)
