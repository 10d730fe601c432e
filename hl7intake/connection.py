"""One MLLP connection: frames in, answers out, in order."""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

from hl7intake.framing import Framer, frame
from hl7intake.services.judging import Acknowledgement
from hl7intake.services.senders import Sender

# Takes frames in their order, and some time later calls the connection's ``answer`` or ``fail``, in the loop.
Handler = Callable[[list[bytes], "Connection"], None]
# Returns the answers to a message of which only the beginning was read, because it is too long.
OversizeHandler = Callable[[bytes], tuple[bytes, ...]]
# Returns who is on the other end, or None to hang up.
Identifier = Callable[["Connection", asyncio.Transport], Sender | None]

_WAITING_FRAMES = 32
_WAITING_BYTES = 1_048_576
_MOST_JUNK = 65_536

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class ConnectionLimits:
    """What one connection may do.

    :param message_bytes: longest message.
    :param message_seconds: longest time from the first byte of a message to its last.
    :param answer_seconds: longest time for the other side to take our answers.
    """

    message_bytes: int = 1_048_576
    message_seconds: float = 30.0
    answer_seconds: float = 30.0


class Connection(asyncio.Protocol):
    """Answers the frames of one sender in their order; those that wait together are stored together."""

    def __init__(
        self,
        *,
        handler: Handler,
        oversize: OversizeHandler,
        identify: Identifier,
        on_lost: Callable[["Connection"], None],
        limits: ConnectionLimits,
    ) -> None:
        self.sender: Sender | None = None
        self.fingerprint = ""
        self._handler = handler
        self._oversize = oversize
        self._identify = identify
        self._on_lost = on_lost
        self._limits = limits
        self._framer = Framer(limit=limits.message_bytes)
        self._frames: list[bytes] = []
        self._waiting_bytes = 0
        self._transport: asyncio.Transport | None = None
        self._deadline: asyncio.TimerHandle | None = None
        self._answer_deadline: asyncio.TimerHandle | None = None
        self._is_busy = False
        self._can_write = True
        self._is_reading = True
        self._is_closing = False
        self._is_overflow_answered = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Find out who connected, before the first byte is read."""
        self._transport = cast("asyncio.Transport", transport)
        self.sender = self._identify(self, self._transport)
        if self.sender is None:
            self._is_closing = True
            self._transport.abort()

    def data_received(self, data: bytes) -> None:
        """Take bytes from the network."""
        if self._is_closing:
            return
        messages = self._framer.feed(data)
        if messages:
            self._stop_the_clock()  # a message begun behind them has its own time
            self._frames.extend(messages)
            self._waiting_bytes += sum(map(len, messages))
        if self._framer.overflow is not None:
            self._log("message too long")
            self.close_when_idle()
        elif self._framer.junk > _MOST_JUNK:
            self._log("too much outside of frames")
            self.close_when_idle()
        else:
            self._watch_the_clock()
            self._pause_if_full()
        self._work()

    def eof_received(self) -> bool:
        """Finish what was received; over TCP the other side may still be listening."""
        self.close_when_idle()
        return self._is_busy and self._is_plain()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection. A message being stored is stored; its sender asks again."""
        self._is_closing = True
        self._frames.clear()
        self._stop_the_clock()
        self._stop_waiting()
        self._on_lost(self)

    def pause_writing(self) -> None:
        """Hold answers back: the other side does not read them."""
        self._can_write = False

    def resume_writing(self) -> None:
        """Go on answering."""
        self._can_write = True
        self._stop_waiting()
        self._work()

    def answer(self, answers: list[Acknowledgement]) -> None:
        """Send the answers to the frames that the handler was given."""
        self._is_busy = False
        self._send([message for one in answers for message in one.messages])
        self._work()

    def fail(self, error: Exception) -> None:
        """Hang up: the frames that the handler was given were not stored, and their sender must ask again."""
        self._is_busy = False
        self._log(type(error).__name__)
        self.abort()

    def close_when_idle(self) -> None:
        """Answer what is complete, then close."""
        self._is_closing = True
        self._stop_the_clock()
        self._work()

    def abort(self) -> None:
        """Close at once."""
        self._is_closing = True
        self._frames.clear()
        if self._transport is not None:
            self._transport.abort()

    def _work(self) -> None:
        """Hand on what waits; close when nothing does and nothing may come any more."""
        if self._is_busy or not self._can_write:
            return
        if self._frames:
            frames, self._frames, self._waiting_bytes = self._frames, [], 0
            self._is_busy = True
            self._resume_if_drained()
            self._handler(frames, self)
        elif self._framer.overflow is not None and not self._is_overflow_answered:
            self._is_overflow_answered = True
            self._send(list(self._oversize(self._framer.overflow)))
            self._work()
        elif self._is_closing:
            self._close()

    def _send(self, messages: list[bytes]) -> None:
        if messages and self._transport is not None and not self._transport.is_closing():
            self._transport.write(b"".join(map(frame, messages)))
            if not self._can_write and self._answer_deadline is None:
                loop = asyncio.get_running_loop()
                self._answer_deadline = loop.call_later(self._limits.answer_seconds, self._too_deaf)

    def _pause_if_full(self) -> None:
        is_full = len(self._frames) >= _WAITING_FRAMES or self._waiting_bytes >= _WAITING_BYTES
        if self._is_reading and is_full and self._transport is not None:
            self._is_reading = False
            self._stop_the_clock()  # from here on the waiting is ours
            self._transport.pause_reading()

    def _resume_if_drained(self) -> None:
        is_open = self._transport is not None and not self._transport.is_closing()
        if not self._is_reading and is_open:
            self._is_reading = True
            cast("asyncio.Transport", self._transport).resume_reading()
            self._watch_the_clock()

    def _watch_the_clock(self) -> None:
        """Allow a begun message its time, however slowly its bytes trickle in."""
        if not self._framer.is_inside:
            self._stop_the_clock()
        elif self._deadline is None:
            loop = asyncio.get_running_loop()
            self._deadline = loop.call_later(self._limits.message_seconds, self._too_slow)

    def _stop_the_clock(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _too_slow(self) -> None:
        self._log("message not completed in time")
        self.close_when_idle()

    def _stop_waiting(self) -> None:
        if self._answer_deadline is not None:
            self._answer_deadline.cancel()
            self._answer_deadline = None

    def _too_deaf(self) -> None:
        self._log("answers not taken in time")
        self.abort()

    def _close(self) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.close()
            # Closing waits for the last answer to be taken, but not for ever.
            loop = asyncio.get_running_loop()
            self._deadline = loop.call_later(self._limits.answer_seconds, self._transport.abort)

    def _is_plain(self) -> bool:
        return self._transport is not None and self._transport.get_extra_info("ssl_object") is None

    def _log(self, what: str) -> None:
        endpoint = str(self.sender.endpoint_id) if self.sender else ""
        logger.warning("connection ended: %s", what, extra={"endpoint": endpoint})
