"""Artifacts of a hub: fetched with their checksums compared, pushed with a card."""

import errno
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from keras_dtl import load_artifact
from keras_dtl.cli.__main__ import main
from keras_dtl.hub import HubError, fetch_artifact, parse_address, push_artifact
from keras_dtl.manifest import ManifestError
from tests.convert.conftest import write_negative
from tests.hub_server import Hub

constants = pytest.importorskip("huggingface_hub.constants", reason="needs the extra [hub]")
NAME = "somebody/negative"
PICTURE = Path(__file__).parents[1] / "scripts/benchmarks/results/pictures/pix2pix.png"


@pytest.fixture
def hub(tmp_path, monkeypatch):
    server = Hub()
    monkeypatch.setattr(constants, "ENDPOINT", server.address)
    files = f"{server.address}/{{repo_id}}/resolve/{{revision}}/{{filename}}"
    monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", files)
    monkeypatch.setattr(constants, "HF_HOME", str(tmp_path / "home"))
    yield server
    server.close()


@pytest.fixture
def artifact(tmp_path):
    return write_negative(tmp_path / "negative")


def files_of(folder):
    paths = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}


def test_addresses():
    assert parse_address("hf://a/b.c-d") == ("a/b.c-d", "main")
    assert parse_address("hf://a/b@refs/pr/1") == ("a/b", "refs/pr/1")
    for wrong in ("hf://a", "hf://a/b/c", "hf://a/b@", "hf://../b", "hf://a/b@../c", "hf://a/b@/c"):
        with pytest.raises(ValueError, match="is no address of the hub; expected hf://OWNER/NAME"):
            parse_address(wrong)


def test_what_was_pushed_is_fetched_and_computes_the_same(hub, artifact, tmp_path, capsys):
    assert main(["push", str(artifact), NAME, "--private", "--licence", "apache-2.0"]) == 0
    assert f"Pushed: hf://{NAME}@" in capsys.readouterr().out
    assert hub.private[NAME]
    card = hub.repositories[NAME]["main"]["README.md"].decode()
    assert "license: apache-2.0\n" in card and "pipeline_tag: image-to-image\n" in card
    assert f"keras-dtl convert hf://{NAME} INPUT out/" in card
    image = np.full((1, 4, 4, 3), 7, "uint8")
    ours, theirs = load_artifact(artifact, "cpu"), load_artifact(f"hf://{NAME}", "cpu")
    np.testing.assert_array_equal(ours(image), theirs(image))
    assert theirs.path.is_relative_to(tmp_path / "home")


def test_only_manifest_and_graphs_are_fetched_and_only_once(hub, artifact):
    others = {"evil.py": b"raise SystemExit", "1/weights.pkl": b"c", "README.md": b"x"}
    hub.add(NAME, {**files_of(artifact), **others})
    folder = fetch_artifact(f"hf://{NAME}")
    fetched = {name for name in files_of(folder) if not name.startswith(".")}
    assert fetched == {"manifest.json", "1/model.onnx"}
    before = len(hub.requests)
    assert fetch_artifact(f"hf://{NAME}") == folder
    assert len(hub.requests) == before + 1  # which commit the branch is


def test_a_revision_is_a_commit_that_stays(hub, artifact, tmp_path):
    first = hub.add(NAME, files_of(artifact))
    other = write_negative(tmp_path / "renamed")
    hub.add(NAME, files_of(other))
    assert load_artifact(f"hf://{NAME}", "cpu").manifest.name == "renamed"
    assert load_artifact(f"hf://{NAME}@{first}", "cpu").manifest.name == "negative"


def test_without_the_hub_the_last_known_commit_is_taken(hub, artifact, monkeypatch):
    hub.add(NAME, files_of(artifact))
    folder = fetch_artifact(f"hf://{NAME}")
    monkeypatch.setattr(constants, "ENDPOINT", "http://127.0.0.1:9")
    assert fetch_artifact(f"hf://{NAME}") == folder
    with pytest.raises(HubError, match="cannot be fetched"):
        fetch_artifact("hf://somebody/other")


def test_what_differs_from_its_checksum_is_refused(hub, artifact):
    files = files_of(artifact)
    hub.add(NAME, {**files, "1/model.onnx": files["1/model.onnx"] + b"\0"})
    with pytest.raises(ManifestError, match="the file was changed or damaged"):
        fetch_artifact(f"hf://{NAME}")


@pytest.mark.parametrize("name", ["../../evil.onnx", "/tmp/evil.onnx"])
def test_a_manifest_cannot_lead_out_of_its_folder(hub, artifact, name):
    files = files_of(artifact)
    manifest = json.loads(files["manifest.json"])
    manifest["files"][name] = "0" * 64
    hub.add(NAME, {**files, "manifest.json": json.dumps(manifest).encode(), name: b"x"})
    with pytest.raises(ManifestError, match="safe paths"):
        fetch_artifact(f"hf://{NAME}")


def test_what_the_hub_lacks_is_told_in_one_line(hub, tmp_path, capsys):
    words = ["convert", "hf://somebody/none", str(tmp_path), str(tmp_path / "out")]
    assert main(words) == 2
    error = capsys.readouterr().err
    assert "hf://somebody/none@main cannot be fetched" in error and error.count("\n") == 1


def test_a_damaged_artifact_is_not_pushed(hub, artifact):
    (artifact / "1" / "model.onnx").write_bytes(b"other")
    with pytest.raises(ManifestError, match="changed or damaged"):
        push_artifact(artifact, NAME)
    assert not hub.requests


def test_a_card_of_its_own_goes_with_its_pictures(hub, artifact):
    (artifact / "README.md").write_text("# Mine\n![a](a.jpg)\n", encoding="utf-8")
    (artifact / "a.jpg").write_bytes(b"picture")
    push_artifact(artifact, NAME)
    pushed = hub.repositories[NAME]["main"]
    assert pushed["README.md"].startswith(b"# Mine") and pushed["a.jpg"] == b"picture"


def test_a_dry_run_shows_the_card_and_asks_nobody(hub, artifact, capsys):
    assert main(["push", str(artifact), NAME, "--dry-run"]) == 0
    out = capsys.readouterr().out
    assert "# negative" in out and "would upload: 1/model.onnx" in out
    assert not hub.requests


@pytest.mark.slow
def test_convert_asks_the_hub_that_the_environment_names(artifact, tmp_path):
    server = Hub()
    server.add(NAME, files_of(artifact))
    photos = tmp_path / "photos"
    photos.mkdir()
    shutil.copy(PICTURE, photos)
    code = "import sys; from keras_dtl.cli.__main__ import main; sys.exit(main())"
    words = ["convert", f"hf://{NAME}", str(photos), str(tmp_path / "out"), "--device", "cpu"]
    home = {"HF_ENDPOINT": server.address, "HF_HOME": str(tmp_path / "home")}
    command = [sys.executable, "-c", code, *words]
    answer = subprocess.run(command, capture_output=True, text=True, env={**os.environ, **home})
    server.close()
    assert answer.returncode == 0, answer.stderr
    assert "1 converted" in answer.stdout


def test_a_full_disk_is_no_fault_of_the_hub(hub, artifact, tmp_path, monkeypatch, capsys):
    """It was told to look at owner, name, network and token."""
    push_artifact(artifact, NAME)

    def download(*arguments, **named):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "there")

    monkeypatch.setattr("huggingface_hub.hf_hub_download", download)
    words = ["convert", f"hf://{NAME}", str(tmp_path), str(tmp_path / "out")]
    assert main(words) == 2
    told = capsys.readouterr().err
    assert os.strerror(errno.ENOSPC) in told and "Make room" in told
    assert "HF_TOKEN" not in told
