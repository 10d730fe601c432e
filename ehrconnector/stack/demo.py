"""``make demo``: everything on this machine, one visit played, then yours to try."""

import json
import sys
import time

from ehrconnector.stack import ports
from ehrconnector.stack.environment import Addresses
from ehrconnector.stack.errors import Interrupted
from ehrconnector.stack.folder import DataFolder
from ehrconnector.stack.interrupts import Interrupts
from ehrconnector.stack.logs import LogFile
from ehrconnector.stack.servers import Servers
from ehrconnector.stack.stack import Stack
from ehrconnector.stack.terminal import Terminal

HISTORY_VISITS = "600"
PEOPLE = (
    ("avery.reed@lamna.example.org", "administrator: sets the connector up"),
    ("dana.ortiz@lamna.example.org", "Epic analyst: approves, copies integration records"),
    ("kim.soto@lamna.example.org", "support: finds out what happened to a visit"),
    ("rene.blake@lamna.example.org", "report reader"),
)


def demo(folder: DataFolder, *, is_once: bool, is_json: bool) -> int:
    """Start everything, play one visit, and serve until told to stop; return the exit status.

    :raises StackError: when something keeps it from starting.
    """
    terminal = Terminal(sys.stderr if is_json else sys.stdout)
    folder.lock()
    addresses = demo_addresses()
    require_free_ports(addresses)
    log = LogFile(folder.log / "servers.log")
    servers = Servers(folder, is_durable=True, sink=log.write)
    stack = Stack(folder, addresses=addresses, servers=servers, terminal=terminal)
    with Interrupts(stack.kill) as interrupts:
        try:
            return _play(stack, terminal, interrupts, is_once=is_once, is_json=is_json)
        finally:
            interrupts.stopping()
            terminal.say("\nStopping every process ...")
            stack.stop()
            log.close()
            folder.unlock()


def demo_addresses() -> Addresses:
    """Return where the demonstration listens, by default or by variables.

    :raises StackError: when a variable holds no port.
    """
    return Addresses(
        web_port=ports.port_from("WEB_PORT", default=8000),
        sandbox_port=ports.port_from("SANDBOX_PORT", default=8100),
        mllp_port=ports.port_from("MLLP_PORT", default=2575),
    )


def free_addresses() -> Addresses:
    """Return addresses that disturb nothing else on this machine."""
    return Addresses(web_port=ports.free_port(), sandbox_port=ports.free_port(), mllp_port=ports.free_port())


def require_free_ports(addresses: Addresses) -> None:
    """Make sure before anything starts that every port is ours to use.

    :raises StackError: when one is taken, naming it and the variable that changes it.
    """
    ports.require_free(addresses.web_port, variable="WEB_PORT", purpose="the connector's web pages")
    ports.require_free(addresses.sandbox_port, variable="SANDBOX_PORT", purpose="the sandbox")
    ports.require_free(addresses.mllp_port, variable="MLLP_PORT", purpose="the HL7 listener")


def _play(stack: Stack, terminal: Terminal, interrupts: Interrupts, *, is_once: bool, is_json: bool) -> int:
    began = time.monotonic()
    terminal.title("EHR connector: the hospital Lamna Healthcare on this machine")
    stack.start()
    started = time.monotonic() - began
    terminal.title("One virtual visit, from the appointment to the report")
    code, visit = _play_visit(stack, terminal, is_json=is_json)
    if is_json:
        _write_json(stack, started=started, code=code, visit=visit)
    terminal.title(_verdict(code))
    if is_once:
        return 1 if code else 0
    _add_history(stack, terminal)
    _add_refusals(stack, terminal)
    _leave_open(stack, terminal)
    _invite(stack, terminal)
    try:
        interrupts.wait()
    except Interrupted:
        return 1 if code else 0
    return 0


def _play_visit(stack: Stack, terminal: Terminal, *, is_json: bool) -> tuple[int, str]:
    if not is_json:
        code, _ = stack.commands.attempt("play_visit", env=stack.product_env(), sink=terminal.say)
        return code, ""
    lines: list[str] = []
    code, _ = stack.commands.attempt("play_visit", "--json", env=stack.product_env(), sink=lines.append)
    return code, "\n".join(lines)


def _add_history(stack: Stack, terminal: Terminal) -> None:
    """Give the reports something to show; once for each folder of data."""
    with terminal.step("Three months of invented history for the reports"):
        stack.commands.run("seed_history", "--visits", HISTORY_VISITS, env=stack.product_env())


def _add_refusals(stack: Stack, terminal: Terminal) -> None:
    """Give the message browser something to explain."""
    with terminal.step("Two HL7 messages and a sender that are refused, to look at"):
        stack.commands.run("send_refusals", env=stack.product_env())


def _leave_open(stack: Stack, terminal: Terminal) -> None:
    """Give the pages that show what needs somebody something to show."""
    with terminal.step("A message that was set aside, and patients' answers"):
        stack.commands.run("leave_open", env=stack.product_env())


def _verdict(code: int) -> str:
    if code:
        return "The visit did not go as it should; the step is named above, details are in the logs."
    return "Every step was confirmed by what the sandbox itself received."


def _write_json(stack: Stack, *, started: float, code: int, visit: str) -> None:
    found = [line for line in visit.splitlines() if line.startswith("{") and '"steps"' in line]
    played = json.loads(found[-1]) if found else {"output": visit}
    report = {
        "confirmed": code == 0,
        "seconds_to_start": round(started, 2),
        "addresses": {"connector": stack.addresses.public, "sandbox": stack.addresses.sandbox},
        "visit": played,
    }
    sys.stdout.write(json.dumps(report, indent=2) + "\n")
    sys.stdout.flush()


def _invite(stack: Stack, terminal: Terminal) -> None:
    web, sandbox = stack.addresses.public, stack.addresses.sandbox
    terminal.title("Try it yourself")
    rows = (
        (web, "the connector: sign in with Microsoft (the sandbox's)"),
        (f"{sandbox}/", "the sandbox: what stands for Epic, Microsoft and the phones"),
        (f"{sandbox}/schedule/", "Epic's schedule: create a visit, begin it as the provider"),
        (f"{sandbox}/phones/", "the patients' phones: read the texts, follow their links, answer"),
        (f"{sandbox}/rooms/", "the Teams rooms: lobby and meeting"),
        (f"{sandbox}/ledger/", "everything the other systems received"),
    )
    for address, what in rows:
        terminal.say(f"  {address:<34} {what}")
    terminal.title("People to sign in as (no password in the sandbox)")
    for name, role in PEOPLE:
        terminal.say(f"  {name:<34} {role}")
    terminal.say(f"\nLogs are in {stack.folder.log}. Ctrl-C stops everything.")
