"""Messages for tests: the six fixture files, and changes to them."""

from pathlib import Path

FOLDER = Path(__file__).parent.parent / "fixtures" / "hl7"

NEW = "s12_new_video_visit"
GROUP = "s12_group_visit_interpreter"
MOVED = "s13_reschedule_across_dst"
PHONE_DELETED = "s14_modify_phone_deleted"
CANCELLED = "s15_cancel"
NO_SHOW = "s26_no_show"
NAMES = (NEW, GROUP, MOVED, PHONE_DELETED, CANCELLED, NO_SHOW)


def load(name: str) -> bytes:
    """Return the fixture called ``name``, segments ended by CR."""
    return (FOLDER / f"{name}.hl7").read_bytes()


def change(raw: bytes, *changes: tuple[str, int, str]) -> bytes:
    """Return ``raw`` with fields replaced: (segment, field, text); the first such segment is meant."""
    lines = raw.decode().rstrip("\r").split("\r")
    for name, number, text in changes:
        place = next(i for i, line in enumerate(lines) if line.startswith(name))
        fields = lines[place].split("|")
        index = number - 1 if name == "MSH" else number
        fields += [""] * (index + 1 - len(fields))
        fields[index] = text
        lines[place] = "|".join(fields)
    return ("\r".join(lines) + "\r").encode()


def without(raw: bytes, *names: str) -> bytes:
    """Return ``raw`` without the segments called ``names``."""
    lines = raw.decode().rstrip("\r").split("\r")
    return ("\r".join(line for line in lines if line[:3] not in names) + "\r").encode()


def insert(raw: bytes, after: str, *segments: str) -> bytes:
    """Return ``raw`` with ``segments`` put in behind the first segment called ``after``."""
    lines = raw.decode().rstrip("\r").split("\r")
    place = next(i for i, line in enumerate(lines) if line.startswith(after)) + 1
    return ("\r".join([*lines[:place], *segments, *lines[place:]]) + "\r").encode()
