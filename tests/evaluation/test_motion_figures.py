import io
import json
import re
import shutil
import subprocess

import numpy as np
import pytest
from PIL import Image

from keras_dtl.data.walker import walk, walker_skeleton
from keras_dtl.evaluation import Report, figures

SKELETON = walker_skeleton()
PAIR = {"slow": walk(0.7, 0.3, 0.0, 0.1, frames=30), "fast": walk(1.2, 0.5, 0.2, 0.3, frames=20)}
BROWSER = next(filter(None, map(shutil.which, ("chromium", "google-chrome", "chrome"))), None)


def test_stick_figures_have_a_row_each_and_all_bones():
    figure = figures.stick_figures(PAIR, SKELETON, moments=3)
    assert [ax.get_title(loc="left") for ax in figure.axes] == ["slow", "fast"]
    assert all(len(ax.lines) == 3 * 17 for ax in figure.axes)


def test_moving_picture_moves():
    with Image.open(io.BytesIO(figures.stick_figure_gif(PAIR, SKELETON, 30.0, 100))) as picture:
        assert picture.size == (200, 100) and picture.n_frames == 20
        assert picture.info["duration"] == 30
        first = np.array(picture.convert("L"), int)
        picture.seek(7)
        assert np.abs(np.array(picture.convert("L"), int) - first).max() > 100


def player(name="pair"):
    return figures.motion_player({name: PAIR, "one": {"slow": PAIR["slow"]}}, SKELETON, 30.0, name)


def test_player_holds_the_motion_and_nothing_from_elsewhere():
    page = player("</script><script>alert(1)")
    assert page.count("<script") == 2 and not re.search(r"https?://|src=", page)
    data = re.search(r'id="data">(.*?)</script>', page, re.DOTALL)[1]
    scenes = json.loads(data)["scenes"]
    assert scenes[0]["name"] == "</script><script>alert(1)"
    frames = np.array(scenes[0]["motions"][0]["frames"]).reshape(30, -1, 3)
    real = PAIR["slow"] - PAIR["slow"][:1, :1] * [1, 0, 1]
    scale = 1000 / np.ptp(real[0, :, 1])
    np.testing.assert_allclose(frames, (real - [0, real[..., 1].min(), 0]) * scale, atol=0.51)
    with pytest.raises(ValueError, match="not finite"):
        figures.motion_player({"a": {"b": PAIR["slow"] * np.nan}}, SKELETON, 30.0)
    with pytest.raises(ValueError, match="one scene"):
        figures.motion_player({}, SKELETON, 30.0)


_USE = """<script>
const seen = {};
const painted = () => canvas.toDataURL();
document.getElementById("play").click();
scrub.value = 0; scrub.dispatchEvent(new Event("input")); draw();
const first = painted();
scrub.value = 8; scrub.dispatchEvent(new Event("input")); draw();
seen.scrubbed = painted() !== first && clock.textContent === "0.27 s";
const before = painted();
canvas.dispatchEvent(new PointerEvent("pointermove", {buttons: 1, movementX: 90, movementY: 20}));
draw(); seen.orbited = painted() !== before;
choice.value = 1; choice.dispatchEvent(new Event("change")); draw();
seen.scene = scene.motions.length === 1 && scrub.max === "29";
document.body.dispatchEvent(new KeyboardEvent("keydown", {key: " ", bubbles: true}));
setTimeout(() => { seen.played = time > 0; document.title = JSON.stringify(seen); }, 300);
</script></body>"""


@pytest.mark.slow
@pytest.mark.skipif(BROWSER is None, reason="needs a Chromium")
def test_player_in_a_browser(tmp_path):
    (tmp_path / "motion.html").write_text(player().replace("</body>", _USE))
    words = ["--headless", "--no-sandbox", "--disable-gpu", "--virtual-time-budget=3000"]
    words += [f"--user-data-dir={tmp_path / 'profile'}", "--dump-dom"]
    address = (tmp_path / "motion.html").as_uri()
    page = subprocess.run([BROWSER, *words, address], capture_output=True, text=True, timeout=90)
    seen = json.loads(re.search("<title>(.*?)</title>", page.stdout)[1])
    assert seen == {"scrubbed": True, "orbited": True, "scene": True, "played": True}


def test_report_has_the_picture_and_a_link_to_what_lies_beside_it(tmp_path):
    report = Report("Motion")
    report.add_animation("Walk", b"GIF89a", "moves")
    report.add_file("Walk", "motion.html", "<p>player</p>", "Player")
    report.write(tmp_path / "run" / "report.html")
    page = (tmp_path / "run" / "report.html").read_text()
    assert "data:image/gif;base64,R0lGODlh" in page and '<a href="motion.html">Player</a>' in page
    assert (tmp_path / "run" / "motion.html").read_text() == "<p>player</p>"
