"""Where Ray listens, when it is begun for this machine alone."""

import json
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from keras_dtl.convert import ConversionError
from keras_dtl.convert.engines import ray_cluster

LISTENING = """
import contextlib, json, os, sys
from pathlib import Path
from types import SimpleNamespace

def listening():
    found = {}
    for kind in ("tcp", "tcp6"):
        for line in Path(f"/proc/net/{kind}").read_text().splitlines()[1:]:
            words = line.split()
            if words[3] == "0A":  # a socket that listens
                found[f"socket:[{words[9]}]"] = words[1].split(":")[0]
    return found

def of_ray():
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if b"ray" in (folder / "cmdline").read_bytes() or folder.name == str(os.getpid()):
                yield from (os.readlink(path) for path in (folder / "fd").iterdir())

before = listening()
from keras_dtl.convert.engines.ray_cluster import connect
ray = connect(None)
assert ray.get(ray.remote(lambda: 1).remote()) == 1
after, own = listening(), set(of_ray())
print(json.dumps([after[name] for name in after if name not in before and name in own]))
"""
LOOPBACK = ("0100007F", "0000000000000000FFFF00000100007F", "00000000000000000000000001000000")
"""127.0.0.1, the same as one of IPv6, and ::1, as Linux writes them."""


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/net/tcp").exists(), reason="Linux alone tells")
@pytest.mark.skipif(ray_cluster._belongs_to_cluster(), reason="a cluster is there already")
def test_on_one_machine_nobody_else_can_talk_to_ray():
    """Its ports run what they are sent, and were open on every address of the machine."""
    pytest.importorskip("ray")
    free = {k: v for k, v in os.environ.items() if k != "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"}
    words = [sys.executable, "-c", LISTENING]
    answer = subprocess.run(words, env=free, capture_output=True, text=True)
    assert answer.returncode == 0, answer.stderr
    addresses = json.loads(answer.stdout.splitlines()[-1])
    assert len(addresses) > 3
    assert set(addresses) <= set(LOOPBACK)


@pytest.mark.parametrize("named", ["127.0.0.1:9", "no address"])
def test_a_cluster_that_ended_without_a_word_is_not_waited_for(named, tmp_path, monkeypatch):
    """Ray waited for it for minutes, and said nothing."""
    pytest.importorskip("ray")
    file = tmp_path / "ray_current_cluster"
    file.write_text(named)
    monkeypatch.setattr(ray_cluster, "_CLUSTER_OF_MACHINE", file)
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    with pytest.raises(ConversionError, match=f"{named}.*does not answer.*ray stop"):
        ray_cluster.connect(None)


CLUSTER = """
import ray
ray.init(num_cpus=1, include_dashboard=False)
print("at", ray.get_runtime_context().gcs_address, flush=True)
input()
"""
VISIT = """
import sys
from keras_dtl.convert.engines.ray_cluster import connect
ray = connect(sys.argv[1])
print(ray.get(ray.remote(lambda: 41 + 1).remote()))
"""


@pytest.mark.slow
@pytest.mark.skipif(ray_cluster._belongs_to_cluster(), reason="a cluster is there already")
def test_a_cluster_that_wants_its_users_token_is_entered(tmp_path):
    """Ray makes a token with the first cluster, and a visitor that is not told keeps it back."""
    pytest.importorskip("ray")
    environment = {k: v for k, v in os.environ.items() if not k.startswith("RAY_AUTH")}
    environment["HOME"] = str(tmp_path)
    words, pipes = [sys.executable, "-c"], {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen([*words, CLUSTER], env=environment, text=True, **pipes) as cluster:
        lines = (line.split() for line in cluster.stdout)
        address = next(line[1] for line in lines if line[:1] == ["at"])
        visit = [*words, VISIT, address]
        answer = subprocess.run(visit, env=environment, capture_output=True, text=True)
        cluster.communicate("\n")
    assert (tmp_path / ".ray/auth_token").is_file()
    assert answer.returncode == 0, answer.stderr
    assert answer.stdout.splitlines()[-1] == "42"


@pytest.mark.parametrize("place", ["home", "variable", "nowhere"])
def test_a_token_is_shown_where_there_is_one(place, tmp_path, monkeypatch):
    for name in ("RAY_AUTH_MODE", "RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH"):
        monkeypatch.setenv(name, "")  # so that it is as it was, afterwards
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    modes = []
    ray = SimpleNamespace(
        is_initialized=lambda: False, init=lambda **_: modes.append(os.environ.get("RAY_AUTH_MODE"))
    )
    monkeypatch.setitem(sys.modules, "ray", ray)
    if place != "nowhere":
        token = tmp_path / (".ray/auth_token" if place == "home" else "token")
        token.parent.mkdir(exist_ok=True)
        token.write_text("of the user")
        if place == "variable":
            monkeypatch.setenv("RAY_AUTH_TOKEN_PATH", str(token))
    ray_cluster.connect("head:6379")
    assert modes == [None if place == "nowhere" else "token"]
