"""The MLLP listener: TLS with pinned client certificates, many connections, few database threads.

Every accepted connection gets the TLS context of the certificates that are pinned at that moment, so a
new certificate works and a revoked one fails without a restart.
"""

import asyncio
import contextlib
import hashlib
import logging
import socket
import ssl
from asyncio import sslproto
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from django.utils import timezone

from core import heartbeat
from hl7intake.ack import Verdict
from hl7intake.connection import Connection, ConnectionLimits
from hl7intake.errors import AckCode, Condition
from hl7intake.intake import Intake, Parcel
from hl7intake.refusals import NOT_REGISTERED, Refusal, RefusalLog, reason_of
from hl7intake.services.judging import Acknowledgement, Arrival
from hl7intake.services.receiving import refuse
from hl7intake.services.refusals import record_refused_sender
from hl7intake.services.senders import PinnedSender, Sender, pinned_senders
from hl7intake.sockets import bind, pause_after, tune
from hl7intake.threads import DatabaseThreads
from hl7intake.trust import LiveTrust, ServerIdentity
from hl7intake.waking import Waker, call_workers
from hl7intake.writer import GroupWriter

_TLS_GOODBYE_SECONDS = 2.0
_TLS_BUFFER_BYTES = 16_384  # one record; longer messages come in several
# For trust, heartbeat, calling the workers, and messages that are not stored in one go.
_THREADS = 3

# What could not be stored is sent again; if nobody does, the trouble counts as over after a while.
_TROUBLE_SECONDS = 600.0
_LONG_AGO = float("-inf")

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class ListenerOptions:
    """How to listen.

    :param identity: our certificate; None for plain MLLP, where everything comes from ``plain_sender``.
    :param call_workers: has stored messages take effect elsewhere; returns False when nobody hears.
    :param handshakes: how many TLS handshakes may be under way; more connections are closed at once.
    :param drain_seconds: how long messages in work may take to be answered when the listener is stopped.
    :param tick_seconds: how often the heartbeat is left and revoked certificates are looked for.
    :param trust_seconds: how long the list of pinned certificates may be reused for new connections.
    """

    host: str
    port: int
    identity: ServerIdentity | None
    plain_sender: Sender | None = None
    call_workers: Callable[[], bool] = call_workers
    connections_a_sender: int = 64
    handshakes: int = 256
    handshake_seconds: float = 10.0
    drain_seconds: float = 20.0
    tick_seconds: float = 10.0
    trust_seconds: float = 1.0
    limits: ConnectionLimits = field(default_factory=ConnectionLimits)


class Listener:
    """Accepts connections until it is stopped, then answers what is in work and leaves."""

    def __init__(self, options: ListenerOptions) -> None:
        self.options = options
        self.port = 0
        self._threads = DatabaseThreads(_THREADS)
        self._intake = Intake(self._threads.run, rules_seconds=options.trust_seconds)
        self._waker = Waker(self._threads.run, call=options.call_workers)
        self._connections: set[Connection] = set()
        self._welcomes: set[asyncio.Task[None]] = set()
        self._refusals = RefusalLog()
        self._stopped = asyncio.Event()
        self._is_deserted = asyncio.Event()
        self._trouble_at = _LONG_AGO
        self._trust: LiveTrust | None = None
        if options.identity is not None:
            self._trust = LiveTrust(options.identity, read=self._read_pinned, reuse_seconds=options.trust_seconds)

    async def start(self) -> None:
        """Listen, with small buffers: asyncio would keep 256 KiB for each TLS connection, however silent.

        :raises OSError: when the address is taken, or our certificate cannot be read.
        """
        sslproto.SSLProtocol.max_size = _TLS_BUFFER_BYTES
        try:
            if self._trust is not None:
                await self._trust.refresh()
            self._socket = bind(self.options.host, self.options.port)
        except OSError:
            await self._threads.close()
            raise
        self.port = self._socket.getsockname()[1]
        self._writer = GroupWriter(self._store)
        self._chores = [asyncio.create_task(self._accept_forever()), asyncio.create_task(self._tick_forever())]

    def stop(self) -> None:
        """Ask the listener to leave; :meth:`serve` then returns."""
        self._stopped.set()

    async def serve(self) -> None:
        """Run until :meth:`stop`; then every message that came completely is answered."""
        await self._stopped.wait()
        for task in (*self._chores, *self._welcomes):
            task.cancel()
        await asyncio.gather(*self._chores, *self._welcomes, return_exceptions=True)
        self._socket.close()
        await self._drain()
        await self._writer.close()
        await self._intake.close()
        await self._waker.close()
        with contextlib.suppress(Exception):  # the database may be away; we leave all the same
            await self._tell(self._refusals.take_all())
        await self._threads.close()

    async def _drain(self) -> None:
        for one in list(self._connections):
            one.close_when_idle()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self.options.drain_seconds):
                while self._connections:
                    self._is_deserted.clear()
                    await self._is_deserted.wait()
        for one in list(self._connections):
            one.abort()

    async def _accept_forever(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            try:
                accepted, address = await loop.sock_accept(self._socket)
            except OSError as error:
                logger.warning("cannot accept a connection", extra={"error": type(error).__name__})
                await asyncio.sleep(pause_after(error))
                continue
            if len(self._welcomes) >= self.options.handshakes:
                accepted.close()
                continue
            task = asyncio.create_task(self._welcome(accepted, peer=address[0]))
            self._welcomes.add(task)
            task.add_done_callback(self._welcomed)

    def _welcomed(self, task: "asyncio.Task[None]") -> None:
        self._welcomes.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            logger.error("connection failed", extra={"error": type(error).__name__})

    async def _welcome(self, accepted: socket.socket, *, peer: str) -> None:
        with contextlib.ExitStack() as stack:
            stack.callback(accepted.close)
            tune(accepted)
            context = (await self._trust.refresh()).context if self._trust is not None else None
            stack.pop_all()  # from here on the transport closes it
        try:
            await asyncio.get_running_loop().connect_accepted_socket(
                lambda: self._new_connection(peer),
                accepted,
                ssl=context,
                ssl_handshake_timeout=self.options.handshake_seconds if context else None,
                ssl_shutdown_timeout=_TLS_GOODBYE_SECONDS if context else None,
            )
        except ssl.SSLError as error:
            self._refusals.note(peer, reason_of(error))
        except OSError as error:  # it hung up, or took longer than a handshake may
            logger.info("no connection", extra={"peer": peer, "error": type(error).__name__})

    def _new_connection(self, peer: str) -> Connection:
        return Connection(
            handler=self._answer,
            oversize=self._answer_oversized,
            identify=lambda one, transport: self._identify(one, transport, peer),
            on_lost=self._forget,
            limits=self.options.limits,
        )

    def _forget(self, one: Connection) -> None:
        self._connections.discard(one)
        if not self._connections:
            self._is_deserted.set()

    def _identify(self, one: Connection, transport: asyncio.Transport, peer: str) -> Sender | None:
        sender = self.options.plain_sender
        if self._trust is not None:
            secured: ssl.SSLObject | None = transport.get_extra_info("ssl_object")
            presented = (secured.getpeercert(binary_form=True) if secured is not None else None) or b""
            one.fingerprint = hashlib.sha256(presented).hexdigest()
            sender = self._holder_of(self._trust.current.known(one.fingerprint), peer=peer)
        if sender is None:
            return None
        if Counter(other.sender for other in self._connections)[sender] >= self.options.connections_a_sender:
            self._refusals.note(peer, "too many connections", certificate_id=sender.certificate_id)
            return None
        self._connections.add(one)
        return sender

    def _holder_of(self, pinned: PinnedSender | None, *, peer: str) -> Sender | None:
        """Return who holds a certificate if it opens a connection; note who knocked otherwise."""
        if pinned is None:
            self._refusals.note(peer, NOT_REGISTERED)
            return None
        if pinned.refusal:
            self._refusals.note(peer, pinned.refusal, certificate_id=pinned.sender.certificate_id)
            return None
        return pinned.sender

    def _answer(self, frames: list[bytes], one: Connection) -> None:
        assert one.sender is not None  # noqa: S101 - connections without a sender are aborted
        now, sender = datetime.now(UTC), one.sender
        self._writer.submit(self._intake.take([Arrival(raw, sender, now) for raw in frames]), one)

    async def _store(self, parcels: list[Parcel]) -> list[Acknowledgement]:
        answers = await self._intake.store(parcels)
        self._note_trouble(is_stored=all(answer.state is not None for answer in answers))
        self._waker.note()
        return answers

    def _note_trouble(self, *, is_stored: bool) -> None:
        if is_stored:
            self._trouble_at = _LONG_AGO
        else:
            logger.error("messages cannot be stored")
            self._trouble_at = asyncio.get_running_loop().time()

    def _answer_oversized(self, beginning: bytes) -> tuple[bytes, ...]:
        verdict = Verdict(
            code=AckCode.REJECT,
            text=f"The message is longer than {self.options.limits.message_bytes} bytes.",
            condition=Condition.DATA_TYPE,
            location="MSH",
        )
        return refuse(beginning, now=timezone.now(), verdict=verdict).messages

    async def _tick_forever(self) -> None:
        while True:
            try:
                await self._tick()
            except Exception as error:  # noqa: BLE001 - the clock must go on whatever one tick met
                logger.warning("tick failed", extra={"error": type(error).__name__})
            await asyncio.sleep(self.options.tick_seconds)

    async def _tick(self) -> None:
        if self._trust is not None:
            trust = await self._trust.refresh()
            for one in list(self._connections):
                if trust.sender_of(one.fingerprint) != one.sender:
                    logger.warning("connection of a revoked certificate closed")
                    one.close_when_idle()
        self._waker.look_after()
        await self._tell(self._refusals.take(at=asyncio.get_running_loop().time()))
        # Whoever cannot store is not well, whatever else the database still does.
        if asyncio.get_running_loop().time() - self._trouble_at > _TROUBLE_SECONDS:
            await self._threads.run(lambda: heartbeat.beat(heartbeat.MLLP))

    async def _tell(self, refusals: list[Refusal]) -> None:
        for refusal in refusals:
            logger.warning("sender refused", extra={"peer": refusal.peer, "outcome": refusal.reason})
            await self._threads.run(_recorder(refusal))

    async def _read_pinned(self) -> tuple[PinnedSender, ...]:
        return await self._threads.run(lambda: pinned_senders(now=timezone.now()))


def _recorder(refusal: Refusal) -> Callable[[], None]:
    return lambda: record_refused_sender(
        peer=refusal.peer,
        reason=refusal.reason,
        count=refusal.count,
        certificate_id=refusal.certificate_id,
        now=timezone.now(),
    )
