"""``make bench``: the benchmarks, against a stack of their own."""

import os
import sys

from ehrconnector.stack.children import PROJECT
from ehrconnector.stack.demo import free_addresses
from ehrconnector.stack.errors import StackError
from ehrconnector.stack.folder import DataFolder
from ehrconnector.stack.interrupts import Interrupts
from ehrconnector.stack.logs import LogFile
from ehrconnector.stack.process import Command, Process
from ehrconnector.stack.servers import Servers
from ehrconnector.stack.stack import Stack
from ehrconnector.stack.terminal import Terminal


def bench(folder: DataFolder, *, names: list[str]) -> int:
    """Run the named benchmarks, or all; return 1 if one missed its target.

    :raises StackError: when there is no such benchmark, or the stack does not start.
    """
    for name in names:
        if not (PROJECT / "benchmarks" / f"{name}.py").is_file():
            raise StackError(f"There is no benchmark {name}: benchmarks/{name}.py does not exist.")
    terminal = Terminal(sys.stdout)
    own = DataFolder(folder.root / "bench" / "stack")
    own.lock()
    log = LogFile(own.log / "servers.log")
    servers = Servers(own, is_durable=True, sink=log.write)
    stack = Stack(own, addresses=free_addresses(), servers=servers, terminal=terminal)
    with Interrupts(stack.kill) as interrupts:
        try:
            terminal.title("A stack to measure")
            stack.start()
            return _measure(stack, folder, names, terminal)
        finally:
            interrupts.stopping()
            stack.stop()
            log.close()
            own.unlock()


def _measure(stack: Stack, folder: DataFolder, names: list[str], terminal: Terminal) -> int:
    command = Command(
        name="benchmarks",
        argv=[sys.executable, "-m", "benchmarks", *names],
        env={
            **stack.owner_env(),
            **{name: value for name, value in os.environ.items() if name.startswith("BENCH_")},  # such as its size
            "BENCH_FOLDER": str(folder.root / "bench"),
            "PYTHONPATH": os.fspath(PROJECT),
        },
        cwd=PROJECT,
    )
    process = Process(command, terminal.say)
    process.start()
    try:
        return process.wait() or 0
    finally:
        process.stop()
