"""``python -m ehrconnector.stack``: what the Makefile calls."""

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path

from ehrconnector.stack.children import PROJECT
from ehrconnector.stack.errors import Interrupted, StackError
from ehrconnector.stack.folder import DataFolder
from ehrconnector.stack.terminal import Terminal

INTERRUPTED = 130  # what shells report for Ctrl-C


def main() -> int:
    """Run the command on the command line and return the exit status."""
    arguments = _parser().parse_args()
    try:
        return _run(arguments)
    except StackError as error:
        Terminal(sys.stderr).fail(str(error))
        return 1
    except Interrupted:
        return INTERRUPTED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m ehrconnector.stack", description="Run the connector's stack.")
    commands = parser.add_subparsers(dest="command", required=True)
    demo = commands.add_parser("demo", help="everything on this machine, with a visit played")
    demo.add_argument(
        "--once", action="store_true", help="stop after the visit; exit 0 only if all of it was confirmed"
    )
    demo.add_argument("--json", action="store_true", help="write the result as JSON, progress to standard error")
    commands.add_parser("run", help="the product alone, from environment variables")
    commands.add_parser("migrate", help="bring the product's database up to date")
    bench = commands.add_parser("bench", help="measure")
    bench.add_argument("names", nargs="*", help="benchmarks to run; all if none is named")
    commands.add_parser("keys", help="invent the secrets an installation needs, as lines for .env")
    commands.add_parser("sbom", help="write the bill of materials (CycloneDX JSON)")
    running = commands.add_parser("with", help="run a command with the variables of the running demonstration")
    running.add_argument("argv", nargs=argparse.REMAINDER)
    return parser


def _run(arguments: argparse.Namespace) -> int:
    # Each command loads only what it needs: the start is part of what people wait for.
    if arguments.command == "keys":
        from ehrconnector.stack.environment import SECRETS  # noqa: PLC0415

        names = ("SECRET_KEY", "ENCRYPTION_KEYS", "INDEX_KEY")
        sys.stdout.writelines(f"{name}={SECRETS[name]()}\n" for name in names)
        return 0
    if arguments.command == "sbom":
        from ehrconnector.stack.sbom import bill  # noqa: PLC0415

        sys.stdout.write(json.dumps(bill(), indent=2) + "\n")
        return 0
    folder = DataFolder(Path(os.environ.get("STACK_DATA_DIR", PROJECT / ".data")))
    if arguments.command == "demo":
        from ehrconnector.stack.demo import demo  # noqa: PLC0415

        return demo(folder, is_once=arguments.once, is_json=arguments.json)
    if arguments.command == "bench":
        from ehrconnector.stack.bench import bench  # noqa: PLC0415

        return bench(folder, names=arguments.names)
    if arguments.command == "with":
        from ehrconnector.stack.stack import read_running  # noqa: PLC0415

        env = {**os.environ, **read_running(folder)}
        return subprocess.run(arguments.argv, env=env, check=False).returncode  # noqa: S603 - the operator's own command
    from ehrconnector.stack import product  # noqa: PLC0415

    return product.run(folder) if arguments.command == "run" else product.migrate(folder)


if __name__ == "__main__":
    sys.exit(main())
