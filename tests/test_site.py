"""The pages build as a site: no dead link, and every public name has its place."""

import importlib
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ROOMS = (
    *("methods", "layers", "losses", "backbones", "callbacks"),
    *("data", "evaluation", "export", "convert"),
)
pytestmark = pytest.mark.slow


def build(site, config=ROOT / "mkdocs.yml"):
    pytest.importorskip("mkdocs", reason="needs the extra [docs]")
    pytest.importorskip("mkdocstrings", reason="needs the extra [docs]")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "-f", config, "-d", site]
    return subprocess.run(command, capture_output=True, text=True, env={**os.environ}, cwd=ROOT)


def test_site_builds_and_shows_every_public_name(tmp_path):
    answer = build(tmp_path)
    assert answer.returncode == 0, answer.stderr
    for room in ROOMS:
        page = (tmp_path / "api" / room / "index.html").read_text(encoding="utf-8")
        anchors = set(re.findall(r'id="(keras_dtl\.[\w.]+)"', page))
        names = importlib.import_module(f"keras_dtl.{room}").__all__
        assert anchors >= {f"keras_dtl.{room}.{name}" for name in names}
    home = (tmp_path / "index.html").read_text(encoding="utf-8")
    pictures = re.findall(r'<img[^>]*src="(scripts/[^"]+)"', home)
    assert pictures
    assert all((tmp_path / picture).is_file() for picture in pictures)


def test_dead_link_fails(tmp_path):
    for name in ("docs", "keras_dtl", "exported", "scripts"):
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / name, tmp_path / name, ignore=ignored)
    for name in ("mkdocs.yml", "README.md", "CONTRIBUTING.md", "CHANGELOG.md", "LICENSE"):
        shutil.copy(ROOT / name, tmp_path)
    page = tmp_path / "docs" / "guide" / "serve.md"
    page.write_text(page.read_text(encoding="utf-8") + "\n[a](none.md), [b](adapt.md#none)\n")
    answer = build(tmp_path / "site", tmp_path / "mkdocs.yml")
    assert answer.returncode != 0
    assert "none.md" in answer.stderr
    assert "#none" in answer.stderr
