import json

import pytest

from core.static_files import StaticFiles


@pytest.fixture
def files(tmp_path, settings):
    settings.DEBUG = False
    manifest = {"paths": {"core/app.css": "core/app.5740bcc431e9.css"}, "version": "1.1", "hash": "x"}
    (tmp_path / "staticfiles.json").write_text(json.dumps(manifest), encoding="utf-8")
    return StaticFiles(location=tmp_path, base_url="/static/")


def test_an_address_is_worked_out_once(files, monkeypatch):
    assert files.url("core/app.css") == "/static/core/app.5740bcc431e9.css"
    monkeypatch.setattr(files, "stored_name", None)
    assert files.url("core/app.css") == "/static/core/app.5740bcc431e9.css"


def test_a_file_that_is_not_there_stays_an_error(files):
    for _ in range(2):
        with pytest.raises(ValueError, match=r"nothing\.css"):
            files.url("core/nothing.css")
