import os
import stat
from pathlib import Path

import pytest

from ehrconnector.stack import folder as folders
from ehrconnector.stack.account import Account, server_account
from ehrconnector.stack.errors import StackError
from ehrconnector.stack.folder import DataFolder, sweep


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_two_stacks_cannot_share_a_folder(tmp_path):
    first, second = DataFolder(tmp_path / "data"), DataFolder(tmp_path / "data")
    first.lock()
    with pytest.raises(StackError, match=rf"process {os.getpid()}.*STACK_DATA_DIR"):
        second.lock()
    first.unlock()
    second.lock()
    second.unlock()


def test_logs_and_keys_are_ours_alone(tmp_path):
    data = DataFolder(tmp_path / "data")
    assert mode(data.log) == mode(data.tls) == 0o700


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has to change accounts")
def test_no_folder_above_ours_is_opened_up(tmp_path):
    before = {path: mode(path) for path in tmp_path.parents}
    tmp_path.chmod(0o700)
    account = server_account()
    assert account
    home = DataFolder(tmp_path / "data").servers_home(account)
    try:
        assert account.can_reach(home)
        assert tmp_path not in home.parents
        assert mode(tmp_path) == 0o700
        assert {path: mode(path) for path in tmp_path.parents} == before
        assert DataFolder(tmp_path / "data").servers_home(account) == home, "the next start finds the same place"
    finally:
        DataFolder(home).remove()


def test_an_ordinary_user_keeps_databases_in_the_data_folder(tmp_path):
    data = DataFolder(tmp_path / "data")
    assert data.servers_home(None) == data.root / "servers"


def test_folders_of_lost_checkouts_and_dead_runs_are_swept_and_others_kept(tmp_path, monkeypatch):
    monkeypatch.setattr(folders, "_NEWBORN_SECONDS", -1)
    names = ("ehr-connector-a", "ehr-connector-b", "ehr-connector-c", "ehr-connector-d", "other")
    lost, living, dead, alive, strange = (tmp_path / name for name in names)
    for path in (lost, living, dead, alive, strange):
        path.mkdir()
    (lost / "belongs-to").write_text(str(tmp_path / "gone"))
    (living / "belongs-to").write_text(str(tmp_path))
    (dead / "lock").touch()
    (holder := DataFolder(alive)).lock()

    sweep(tmp_path)

    assert sorted(path.name for path in tmp_path.iterdir()) == ["ehr-connector-b", "ehr-connector-d", "other"]
    holder.unlock()


def test_an_account_cannot_reach_what_is_closed_to_it(tmp_path):
    if os.geteuid() == 0:
        assert not Account(name="nobody", uid=65534, gid=65534).can_reach(tmp_path)
    else:
        assert Account(name="us", uid=os.getuid(), gid=os.getgid()).can_reach(tmp_path)
