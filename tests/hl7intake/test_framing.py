from hypothesis import given
from hypothesis import strategies as st

from hl7intake.framing import Framer, frame

ONE, TWO = b"MSH|^~\\&|1\r", b"MSH|^~\\&|2\r"


def feed(*pieces: bytes, limit: int = 1000) -> list[bytes]:
    framer = Framer(limit=limit)
    return [message for piece in pieces for message in framer.feed(piece)]


def test_a_frame_is_a_message():
    assert feed(frame(ONE)) == [ONE]


def test_two_frames_in_one_packet_are_two_messages():
    assert feed(frame(ONE) + frame(TWO)) == [ONE, TWO]


@given(st.lists(st.integers(1, 40), min_size=1))
def test_pieces_of_any_size_give_the_same_messages(sizes):
    data = (b"junk\r\n" + frame(ONE) + b"\0\n" + frame(TWO)) * 3
    pieces, position = [], 0
    while position < len(data):
        size = sizes[len(pieces) % len(sizes)]
        pieces.append(data[position : position + size])
        position += size

    assert feed(*pieces) == [ONE, TWO] * 3


def test_the_end_mark_may_be_split_from_its_return_or_come_without():
    assert feed(b"\x0b" + ONE + b"\x1c", b"\r\x0b" + TWO + b"\x1c") == [ONE, TWO]


def test_junk_between_frames_is_skipped_and_counted():
    framer = Framer(limit=1000)

    assert framer.feed(b"\0\0GET / HTTP/1.1\r\n" + frame(ONE) + b"\r\n\r\n") == [ONE]
    assert framer.junk == len(b"\0\0GET / HTTP/1.1")
    assert not framer.is_inside


def test_a_frame_begun_anew_replaces_the_unfinished_one():
    framer = Framer(limit=1000)

    assert framer.feed(b"\x0bMSH|^~\\&|half" + frame(TWO)) == [TWO]
    assert framer.truncated == 1


def test_an_unfinished_frame_is_known_to_be_one():
    framer = Framer(limit=1000)
    framer.feed(b"\x0bMSH|")

    assert framer.is_inside


def test_a_message_beyond_the_limit_ends_the_reading_and_keeps_its_beginning():
    framer = Framer(limit=100)

    assert framer.feed(frame(ONE) + b"\x0b" + TWO + b"x" * 60) == [ONE]
    assert framer.overflow is None
    assert framer.feed(b"x" * 60) == []
    assert framer.overflow is not None
    assert framer.overflow.startswith(TWO)
    assert framer.feed(frame(ONE)) == []


def test_a_message_at_the_limit_is_taken():
    assert feed(frame(b"x" * 100), limit=100) == [b"x" * 100]
