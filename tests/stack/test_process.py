import os
import signal
from pathlib import Path

import pytest

from ehrconnector.stack.errors import StackError
from ehrconnector.stack.process import Command, Process
from tests.stack.programs import HOLD_CHILD, has_ended, python, shell


def run(command: Command) -> tuple[Process, list[str]]:
    lines: list[str] = []
    process = Process(command, lines.append)
    process.start()
    return process, lines


def test_output_of_both_streams_reaches_the_log_before_the_end_is_reported():
    process, lines = run(shell("echo one; echo two >&2; exit 3"))
    assert process.wait(10) == 3
    assert lines == ["one", "two"]
    assert process.output() == "one\ntwo"


def test_standard_input_carries_what_no_argument_should_show():
    process, lines = run(Command(name="cat", argv=["cat"], env=dict(os.environ), cwd=Path("/"), stdin="secret\n"))
    assert process.wait(10) == 0
    assert lines == ["secret"]


def test_ready_is_the_line_and_not_the_start():
    process, _ = run(shell("echo starting; sleep 0.2; echo serving; exec sleep 30", ready_line="serving"))
    assert process.wait_ready(10)
    process.stop()
    assert process.exit_code == -signal.SIGTERM


def test_a_child_that_ends_early_is_not_ready():
    process, _ = run(shell("echo broken; exit 1", ready_line="serving"))
    assert not process.wait_ready(10)


def test_a_child_that_ignores_the_stop_signal_is_killed_with_all_it_started():
    process, lines = run(
        shell("trap '' TERM; sleep 50 & echo $!; echo serving; wait", ready_line="serving", grace_seconds=0.3)
    )
    assert process.wait_ready(10)
    process.stop()
    assert process.exit_code == -signal.SIGKILL
    assert has_ended(int(lines[0]))


def test_a_missing_program_is_named():
    with pytest.raises(StackError, match="ghost cannot be started"):
        run(Command(name="ghost", argv=["/no/such/program"], env={}, cwd=Path("/")))


def test_children_die_with_us_even_by_kill_9():
    parent = python(HOLD_CHILD)
    with parent:
        assert parent.stdout
        child = int(parent.stdout.readline())
        parent.kill()
    assert has_ended(child)
