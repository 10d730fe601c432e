import pytest

from sandbox.sms.segments import count


@pytest.mark.parametrize(
    ("text", "segments"),
    [
        ("", 1),
        ("a" * 160, 1),
        ("a" * 161, 2),
        ("a" * 306, 2),
        ("a" * 307, 3),
        ("€" * 80, 1),
        ("€" * 81, 2),
        ("ñ" * 160, 1),
        ("í" * 70, 1),
        ("í" * 71, 2),
        ("\N{RIGHT SINGLE QUOTATION MARK}" + "a" * 143, 3),
        ("😀" * 35, 1),
        ("😀" * 36, 2),
    ],
)
def test_segments_follow_the_encoding(text, segments):
    assert count(text) == segments
