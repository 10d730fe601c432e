"""Send message files to a listener, as an interface engine would."""

import itertools
import sys
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TextIO

from django.core.management.base import BaseCommand, CommandError, CommandParser

from core.errors import ConnectorError
from hl7intake.client import ClientOptions, MllpClient
from hl7intake.files import split_messages, with_control_id
from hl7intake.sending import Answer, Tally, send_all

# Up to this many messages each answer is printed; of more only refusals are.
_FEW = 20
_TERMINAL_SECONDS, _LOG_SECONDS = 0.1, 5.0


class Command(BaseCommand):
    help = "Sends HL7 messages from files over MLLP with TLS and prints the answers; exit status 1 on any refusal."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        """Accept the files and how to reach the listener."""
        parser.add_argument("files", nargs="+", type=Path, metavar="FILE", help="one or more messages each")
        parser.add_argument("--host", default="127.0.0.1")
        parser.add_argument("--port", type=int, default=2575)
        parser.add_argument("--cert", default="", help="certificate to present (PEM)")
        parser.add_argument("--key", default="", help="its private key (PEM); not needed if --cert holds it too")
        parser.add_argument("--server-cert", default="", help="accept exactly this certificate of the listener (PEM)")
        parser.add_argument("--plain", action="store_true", help="without TLS")
        parser.add_argument("--repeat", type=int, default=1, help="how often to send everything")
        parser.add_argument("--rate", type=float, default=0.0, help="messages a second; 0 is as fast as answered")
        parser.add_argument(
            "--fresh-ids",
            action="store_true",
            help="give every message a new control id (MSH-10), so that a repetition is no duplicate",
        )

    def handle(self, *_: object, **options: Any) -> None:
        """Send everything and summarize."""
        messages = [message for path in options["files"] for message in _read(path)]
        total = len(messages) * options["repeat"]
        report = _Report(total=total, out=self.stdout, progress=sys.stderr)
        try:
            with MllpClient(_client_options(options)) as client:
                send_all(client, _repeated(messages, options), rate=options["rate"], on_answer=report.note)
        except ConnectorError as error:
            raise CommandError(report.ended(error.user_message)) from error
        except OSError as error:
            raise CommandError(f"{error.filename or 'certificate'}: {error.strerror or error}") from error
        self.stdout.write(report.summary())
        if not report.tally.is_all_accepted:
            raise CommandError("Not every message was accepted.")


class _Report:
    """Says how far it is while messages are sent, and what came of it at the end."""

    def __init__(self, *, total: int, out: Any, progress: TextIO) -> None:
        self.tally = Tally()
        self._total = total
        self._out = out
        self._progress = progress
        self._is_terminal = progress.isatty()
        self._started = self._told_at = time.monotonic()

    def note(self, name: str, answer: Answer) -> None:
        """Count an answer; print it when it is one of few, or a refusal."""
        self.tally.note(answer)
        if self._total <= _FEW or not answer.is_accepted:
            self._clear()
            self._out.write(f"{name}: {answer.code} {answer.control_id} {answer.text}".rstrip())
        now = time.monotonic()
        if now - self._told_at >= (_TERMINAL_SECONDS if self._is_terminal else _LOG_SECONDS):
            self._told_at = now
            self._tell()

    def summary(self) -> str:
        """Return what came of it, in one line."""
        self._clear()
        tally, seconds = self.tally, time.monotonic() - self._started
        rate = f" ({tally.answered / seconds:,.0f} a second)" if seconds else ""
        median, late = tally.milliseconds_at(0.5), tally.milliseconds_at(0.99)
        return (
            f"{tally.answered:,} sent in {seconds:.2f} s{rate}: {tally.worded_codes()}. "
            f"Answered within {median:.1f} ms (half) and {late:.1f} ms (99 of 100)."
        )

    def ended(self, reason: str) -> str:
        """Return why it ended early and how far it was."""
        self._clear()
        so_far = f" {self.tally.answered:,} of {self._total:,} were answered." if self.tally.answered else ""
        return reason + so_far

    def _tell(self) -> None:
        done, seconds = self.tally.answered, time.monotonic() - self._started
        line = (
            f"{done:,} of {self._total:,} ({100 * done // self._total} %), "
            f"{done / seconds:,.0f} a second: {self.tally.worded_codes()}"
        )
        self._progress.write(f"\r\x1b[K{line}" if self._is_terminal else f"{line}\n")
        self._progress.flush()

    def _clear(self) -> None:
        if self._is_terminal:
            self._progress.write("\r\x1b[K")
            self._progress.flush()


def _read(path: Path) -> Iterator[tuple[str, bytes]]:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise CommandError(f"{path}: {error.strerror}") from error
    for message in split_messages(data):
        yield path.name, message


def _repeated(messages: list[tuple[str, bytes]], options: dict[str, Any]) -> Iterator[tuple[str, bytes]]:
    """Yield everything as often as wanted, without holding it that often."""
    again = itertools.chain.from_iterable(itertools.repeat(messages, options["repeat"]))
    if not options["fresh_ids"]:
        return again
    return ((name, with_control_id(message, uuid.uuid4().hex[:20].upper())) for name, message in again)


def _client_options(options: dict[str, Any]) -> ClientOptions:
    return ClientOptions(
        host=options["host"],
        port=options["port"],
        certificate_path=options["cert"],
        key_path=options["key"],
        server_certificate_path=options["server_cert"],
        is_plain=options["plain"],
    )
