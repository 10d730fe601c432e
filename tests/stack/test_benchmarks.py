import json
import sys

import pytest

from benchmarks import __main__ as command
from benchmarks import visit
from benchmarks.harness import Row, report, table

FAST = Row(metric="start", value=1.5, unit="s", peer=3.0, target=2.0)
SLOW = Row(metric="start", value=2.5, unit="s", target=2.0)
MANY = Row(metric="messages", value=900, unit="per s", target=1000, at_least=True)


def test_a_target_is_a_ceiling_unless_it_is_a_floor():
    assert (FAST.met, SLOW.met, MANY.met) == (True, False, False)
    assert Row(metric="free", value=1, unit="s").met


def test_the_file_is_a_list_of_rows_with_the_promised_fields(tmp_path, monkeypatch):
    monkeypatch.setenv("BENCH_FOLDER", str(tmp_path / "bench"))
    assert report("visit", [FAST])
    assert not report("other", [FAST, MANY])
    assert json.loads((tmp_path / "bench" / "visit.json").read_text()) == [
        {"metric": "start", "value": 1.5, "unit": "s", "peer": 3.0, "target": 2.0, "ratio": 0.5, "met": True}
    ]


def test_the_table_says_which_target_was_missed():
    head, fast, slow = table([FAST, SLOW]).splitlines()
    assert head.split() == ["metric", "value", "unit", "peer", "ratio", "target", "met"]
    assert fast.split()[-1] == "yes"
    assert slow.split()[-1] == "NO"


def test_an_unknown_benchmark_is_refused_with_those_that_exist(capsys):
    assert command.main(["nonsense"]) == 2
    assert "visit" in capsys.readouterr().err


def test_the_visit_reports_the_median_of_each_step_and_the_whole(monkeypatch):
    runs = iter([{"a": 9.0, "b": 9.0}, {"a": 1.0, "b": 2.0}, {"a": 3.0, "b": 2.0}, {"a": 2.0, "b": 2.0}])
    monkeypatch.setattr(visit, "_play", lambda: next(runs))
    assert [(row.metric, row.value) for row in visit.measure()] == [("a", 2.0), ("b", 2.0), ("the whole visit", 4.0)]


def test_a_visit_that_was_not_confirmed_is_no_measurement(tmp_path, monkeypatch):
    (tmp_path / "manage.py").write_text("print('the text was not sent'); raise SystemExit(1)")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "executable", sys.executable)
    with pytest.raises(visit.VisitFailed, match="the text was not sent"):
        visit.measure()
