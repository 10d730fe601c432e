"""``python -m ehrconnector.stack sbom``: what the connector is made of, in CycloneDX 1.6.

Read from the lock file, which alone decides what is installed. Source: https://cyclonedx.org/docs/1.6/json/.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ehrconnector.stack.children import PROJECT

LOCK = PROJECT / "requirements.txt"
_PINNED = re.compile(
    r"^(?P<name>[A-Za-z0-9._-]+)(?:\[[^\]]*\])?==(?P<version>[^\s;\\]+)(?:\s*;\s*(?P<marker>[^\\]+?))?\s*\\?$"
)
_HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})")


@dataclass(frozen=True, kw_only=True)
class Pinned:
    """One package of a lock file.

    :param marker: where it is needed, as in PEP 508; empty: everywhere.
    :param hashes: SHA-256 of every archive that may be installed.
    """

    name: str
    version: str
    marker: str
    hashes: tuple[str, ...]


def pinned(lock: Path = LOCK) -> Iterator[Pinned]:
    """Return the packages of ``lock``.

    :raises ValueError: a line names a package that is not pinned, or has no hash.
    """
    for entry in re.split(r"\n(?=[^\s#])", lock.read_text(encoding="utf-8")):
        lines = [line for line in entry.splitlines() if line.strip() and not line.lstrip().startswith("#")]
        if not lines:
            continue
        found = _PINNED.match(lines[0])
        hashes = tuple(_HASH.findall(entry))
        if found is None or not hashes:
            raise ValueError(f"{lock.name} does not pin: {lines[0]}")
        name = re.sub(r"[-_.]+", "-", found["name"]).lower()
        yield Pinned(name=name, version=found["version"], marker=found["marker"] or "", hashes=hashes)


def bill(lock: Path = LOCK) -> dict[str, object]:
    """Return the bill of materials as a JSON object."""
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {"component": {"type": "application", "name": "ehr-connector", "bom-ref": "ehr-connector"}},
        "components": [_component(package) for package in pinned(lock)],
    }


def _component(package: Pinned) -> dict[str, object]:
    address = f"pkg:pypi/{package.name}@{package.version}"
    archives = {
        "type": "distribution",
        "url": f"https://pypi.org/project/{package.name}/{package.version}/",
        "hashes": [{"alg": "SHA-256", "content": content} for content in package.hashes],
    }
    return {
        "type": "library",
        "bom-ref": address,
        "name": package.name,
        "version": package.version,
        "purl": address,
        "externalReferences": [archives],
        **({"properties": [{"name": "ehr-connector:marker", "value": package.marker}]} if package.marker else {}),
    }
