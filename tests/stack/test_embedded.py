import os
import shutil

import psycopg
import pytest
import redis

from ehrconnector.stack import embedded
from ehrconnector.stack.account import server_account
from ehrconnector.stack.embedded import Postgres, Valkey
from ehrconnector.stack.errors import StackError
from ehrconnector.stack.folder import DataFolder
from ehrconnector.stack.leftover import end_leftover
from ehrconnector.stack.ports import free_port
from tests.stack.programs import HOLD_POSTGRES, has_ended, python


def ignore(_line: str) -> None:
    """Drop a line of log."""


@pytest.fixture
def folder(tmp_path):
    """A data folder below one that only we may enter, as below a temporary or home folder."""
    assert tmp_path.stat().st_mode & 0o077 == 0
    yield (data := DataFolder(tmp_path / "data"))
    pointer = data.root / "servers.path"
    if pointer.exists():
        shutil.rmtree(pointer.read_text())


@pytest.fixture
def postgres(folder):
    account = server_account()
    server = Postgres(folder.servers_home(account), account=account, is_durable=True, sink=ignore)
    yield server
    server.stop()


def test_kill_9_of_everything_loses_no_committed_row(folder, postgres):
    holder = python(HOLD_POSTGRES, str(folder.root))
    with holder:
        assert holder.stdout
        url, pid = holder.stdout.readline().split()
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")
        os.kill(int(pid), 9)
        holder.kill()
    assert has_ended(int(pid))

    postgres.start()
    with psycopg.connect(postgres.url("postgres")) as connection:
        assert connection.execute("SELECT answer FROM kept").fetchone() == (42,)


def test_the_next_start_ends_a_server_that_is_still_running(folder, postgres):
    holder = python(HOLD_POSTGRES, str(folder.root))
    with holder:
        assert holder.stdout
        _, pid = holder.stdout.readline().split()
        postgres.start()
        assert has_ended(int(pid))
        holder.kill()


def test_a_pid_file_that_names_a_stranger_does_not_hurt_the_stranger(tmp_path):
    pid_file = tmp_path / "postmaster.pid"
    pid_file.write_text(f"{os.getpid()}\n{tmp_path}\n")
    end_leftover(pid_file, owner_folder=tmp_path)
    assert not pid_file.exists()


def test_postgresql_asks_for_the_password_and_listens_on_loopback_only(postgres):
    postgres.start()
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(postgres.url("postgres"), password="wrong")
    with psycopg.connect(postgres.url("postgres")) as connection:
        assert connection.execute("SHOW listen_addresses").fetchone() == ("127.0.0.1",)
        assert connection.execute("SHOW max_connections").fetchone() == ("200",)


def test_an_interrupted_creation_leaves_no_half_cluster(postgres, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(embedded, "_run", lambda *_, **__: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            postgres.start()
    postgres.start()
    assert postgres.cluster.is_dir()


def test_valkey_keeps_nothing_and_asks_for_the_password(folder):
    account = server_account()
    valkey = Valkey(folder.servers_home(account), account=account, sink=ignore)
    valkey.start()
    try:
        with redis.Redis.from_url(valkey.url()) as client:
            assert client.config_get("save")["save"] == ""
            assert client.config_get("appendonly")["appendonly"] == "no"
        with redis.Redis(port=valkey.port) as stranger, pytest.raises(redis.AuthenticationError):
            stranger.ping()
    finally:
        valkey.stop()


def test_a_server_that_cannot_listen_says_which_and_where(folder):
    account = server_account()
    first = Valkey(folder.servers_home(account), account=account, sink=ignore, port=free_port())
    first.start()
    try:
        second = Valkey(folder.servers_home(account), account=account, sink=ignore, port=first.port)
        with pytest.raises(StackError, match=f"did not start on port {first.port}"):
            second.start()
    finally:
        first.stop()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has to change accounts")
def test_programs_in_a_closed_folder_are_copied_where_the_account_can_run_them(folder, monkeypatch):
    monkeypatch.setenv("EMBEDDED_SERVERS", "wheels")
    account = server_account()
    home = folder.servers_home(account)
    monkeypatch.setattr(type(account), "can_reach", lambda _, path: "site-packages" not in path.parts)
    postgres = Postgres(home, account=account, is_durable=False, sink=ignore)
    valkey = Valkey(home, account=account, sink=ignore)
    assert home in postgres.programs.bin.parents
    assert home in valkey.program.parents
    try:
        postgres.start()
        valkey.start()
    finally:
        postgres.stop()
        valkey.stop()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has to change accounts")
def test_a_program_is_copied_again_while_the_first_copy_runs(folder, monkeypatch):
    account = server_account()
    home = folder.servers_home(account)
    monkeypatch.setattr(type(account), "can_reach", lambda _, path: path.parent == home)
    first = Valkey(home, account=account, sink=ignore, port=free_port())
    first.start()
    try:
        assert Valkey(home, account=account, sink=ignore, port=free_port()).program == first.program
    finally:
        first.stop()
