"""Messages a second to a committed row and its answer: ours, the reference and hl7apy's server, TLS off and on."""

import os
import ssl

from benchmarks._hl7.load import Load, Result
from benchmarks._hl7.scene import ENDPOINT
from benchmarks._hl7.servers import running
from benchmarks.harness import Row

CONNECTIONS = (1, 16, 128)
# In turn, because the machine is shared and its speed changes: what disturbs one round disturbs both.
_ROUNDS, _SECONDS = 4, 2.5
_WARM_UP = 1.0
_NO_LIMIT = "100000"
UNIT = "messages/s"


def client_context() -> ssl.SSLContext:
    """Return the TLS context of the demonstration's interface engine."""
    context = ssl.create_default_context(cafile=os.environ["SANDBOX_MLLP_CA_PATH"])
    context.load_cert_chain(
        os.environ["SANDBOX_MLLP_CLIENT_CERTIFICATE_PATH"], os.environ["SANDBOX_MLLP_CLIENT_KEY_PATH"]
    )
    return context


def run(port: int, *, connections: int, secure: bool, prefix: str, reconnects: bool = False) -> Result:
    """Return what so many senders got out of the listener at ``port``."""
    context = client_context() if secure else None
    load = Load(port, prefix=prefix, context=context, reconnects=reconnects)
    result = load.run(connections=connections, seconds=_SECONDS)
    if result.refused:
        raise MessagesRefused(f"{result.refused} of {prefix}")
    return result


class MessagesRefused(Exception):
    """A listener refused good messages, so its rate means nothing."""


def measure(environment: dict[str, str]) -> list[Row]:
    """Return every rate and its ratios."""
    rows: list[Row] = []
    rates: dict[tuple[int, bool], float] = {}
    for secure in (False, True):
        reference, ours = _both(environment, secure=secure)
        for connections in CONNECTIONS:
            mine = ours[connections]
            rates[connections, secure] = mine.rate
            rows += _rows(connections, secure, mine, reference[connections])
    rows += [
        Row(
            metric=f"{n} connections: TLS / plain",
            value=rates[n, True] / rates[n, False],
            unit="x",
            target=0.5,
            at_least=True,
        )
        for n in CONNECTIONS
    ]
    return [*rows, *_against_hl7apy(rates)]


def _both(environment: dict[str, str], *, secure: bool) -> tuple[dict[int, Result], dict[int, Result]]:
    files = [os.environ["MLLP_TLS_CERTIFICATE_PATH"], os.environ["MLLP_TLS_KEY_PATH"]] if secure else []
    way = [] if secure else ["--plain", "--endpoint", ENDPOINT]
    kind = "t" if secure else "p"
    ours: dict[int, Result] = {}
    reference: dict[int, Result] = {}
    with (
        running("-m", "benchmarks._hl7.reference", *files, **environment) as (reference_port, _, _),
        running(
            "manage.py", "run_mllp", "--host", "127.0.0.1", "--port", "0", *way,
            MLLP_CONNECTIONS_PER_SENDER=_NO_LIMIT, **environment,
        ) as (port, _, _),
    ):  # fmt: skip
        for warm in (reference_port, port):
            context = client_context() if secure else None
            Load(warm, prefix=f"{kind}w", context=context).run(connections=16, seconds=_WARM_UP)
        for connections in CONNECTIONS:
            reference[connections], ours[connections] = Result(), Result()
            for number in range(_ROUNDS):
                prefix = f"{kind}{connections}-{number}-"
                reference[connections] += run(reference_port, connections=connections, secure=secure, prefix=prefix)
                ours[connections] += run(port, connections=connections, secure=secure, prefix=prefix)
    return reference, ours


def _rows(connections: int, secure: bool, mine: Result, reference: Result) -> list[Row]:  # noqa: FBT001 - of a table
    name = f"{connections} connection{'s' if connections > 1 else ''}, {'TLS' if secure else 'plain'}"
    rows = [
        Row(metric=f"{name}: reference", value=reference.rate, unit=UNIT),
        Row(metric=f"{name}: ours", value=mine.rate, unit=UNIT, peer=reference.rate),
        Row(metric=f"{name}: ours / reference", value=mine.rate / reference.rate, unit="x", target=0.5, at_least=True),
        Row(metric=f"{name}: p50", value=mine.percentile(50) * 1000, unit="ms", peer=reference.percentile(50) * 1000),
    ]
    p99 = mine.percentile(99) * 1000
    target = 25.0 if connections == 1 else None
    return [
        *rows,
        Row(metric=f"{name}: p99", value=p99, unit="ms", peer=reference.percentile(99) * 1000, target=target),
    ]


def _against_hl7apy(rates: dict[tuple[int, bool], float]) -> list[Row]:
    rows = []
    with running("-m", "benchmarks._hl7.hl7apy_server") as (port, _, _):
        for connections in CONNECTIONS[:2]:
            theirs = run(port, connections=connections, secure=False, prefix="h", reconnects=True).rate
            name = f"{connections} connection{'s' if connections > 1 else ''}"
            rows += [
                Row(metric=f"{name}: hl7apy.mllp, nothing stored", value=theirs, unit=UNIT),
                Row(
                    metric=f"{name}: ours / hl7apy.mllp",
                    value=rates[connections, False] / theirs,
                    unit="x",
                    target=20,
                    at_least=True,
                ),
            ]
    return rows
