"""Messages: one line that a terminal shows and does not obey."""

import pytest

from benchmark.errors import InputError
from benchmark.log import LONGEST, escaped, printable, to_stderr


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain text, 5 µs – ok", "plain text, 5 µs – ok"),
        ("\x1b[31mred\x1b[0m", r"\x1b[31mred\x1b[0m"),
        ("two\nlines\tand a tab\r\n", "two lines and a tab"),
        ("\u202ederorrim", r"\u202ederorrim"),
        ("lone \udce9", r"lone \udce9"),
        ("NUL\0", r"NUL\x00"),
    ],
)
def test_what_cannot_be_printed_is_spelt(text, shown):
    assert printable(text) == shown
    assert printable(text).isprintable()


def test_a_long_message_keeps_its_beginning_and_its_end():
    text = printable("what " + "x" * 20_000 + " do this")
    assert len(text) <= LONGEST
    assert text.startswith("what xxx") and text.endswith("xxx do this")


def test_escaped_keeps_length_and_indentation():
    text = "   " + "word " * 500
    assert escaped(text) == text


def test_messages_are_printed_so(capsys):
    to_stderr("\x1b]0;title\x07 done")
    assert capsys.readouterr().err == "\\x1b]0;title\\x07 done\n"


def test_an_error_with_details_is_several_lines():
    error = InputError("two things are wrong:", ["this", "that"])
    assert (error.message, error.details) == ("two things are wrong:", ("this", "that"))
    assert str(error) == "two things are wrong:\nthis\nthat"
    assert InputError("one").details == ()
