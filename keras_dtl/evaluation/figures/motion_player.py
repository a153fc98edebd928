"""A page that plays motions side by side: one HTML file, which opens anywhere, offline too."""

import json
from collections.abc import Mapping
from string import Template

import numpy as np

from keras_dtl.evaluation.figures.stick_figures import side_of
from keras_dtl.motion import Skeleton
from keras_dtl.page import escape, html_page, printable


def motion_player(scenes: Mapping, skeleton: Skeleton, rate: float, title: str = "Motion") -> str:
    """Return a page that plays scenes: drag to look around, wheel to come nearer.

    Args:
        scenes: Name to motions that are played side by side, themselves name to positions
            `(frames, joints, 3)`, y up.
        skeleton: The `Skeleton`.
        rate: Frames a second.
        title: Of the page.

    Returns:
        HTML text that loads nothing and may be written to any file.
    """
    if not scenes or not all(scenes.values()):
        raise ValueError("A player needs one scene or more, each of one motion or more.")
    content = {
        "rate": float(rate),
        "parents": [int(parent) for parent in skeleton.parents],
        "sides": [side_of(skeleton, joint) for joint in range(len(skeleton.parents))],
        "scenes": [
            {"name": printable(name), "motions": [_motion(*motion) for motion in motions.items()]}
            for name, motions in scenes.items()
        ],
    }
    # No closing tag can be inside the script, whatever a name holds.
    data = json.dumps(content, separators=(",", ":")).replace("<", "\\u003c")
    body = _BODY.substitute(title=escape(title), data=data, script=_SCRIPT)
    return html_page(title, body, _STYLE, "script-src 'unsafe-inline'")


def _motion(name, positions):
    """Return a motion with places in thousandths of the body's height, whole numbers."""
    positions = np.asarray(positions, "float64")
    if not np.isfinite(positions).all():
        raise ValueError(f"The motion {name!r} holds numbers that are not finite.")
    unit = max(np.ptp(positions[0, :, 1]), 1e-9) / 1000
    start = np.array([positions[0, 0, 0], positions[..., 1].min(), positions[0, 0, 2]])
    places = np.round((positions - start) / unit).astype(int)
    return {"name": printable(name), "frames": places.reshape(len(places), -1).tolist()}


_SCRIPT = r"""
"use strict";
const data = JSON.parse(document.getElementById("data").textContent);
const canvas = document.getElementById("view"), pen = canvas.getContext("2d");
const scrub = document.getElementById("scrub"), play = document.getElementById("play");
const choice = document.getElementById("scene"), speed = document.getElementById("speed");
const follow = document.getElementById("follow"), clock = document.getElementById("clock");
const camera = {turn: 0.6, tilt: 0.2, near: 1};
let scene = data.scenes[0], time = 0, playing = true, last = null;

function frames() { return Math.max(...scene.motions.map(m => m.frames.length)); }

// From a place in thousandths of the body's height to pixels of one pane.
function project(x, y, z, pane) {
  const c = Math.cos(camera.turn), s = Math.sin(camera.turn);
  const across = c * x - s * z, toward = s * x + c * z;
  const up = Math.cos(camera.tilt) * y - Math.sin(camera.tilt) * toward;
  const depth = Math.sin(camera.tilt) * y + Math.cos(camera.tilt) * toward;
  const scale = camera.near * pane.size / 1700 * 5000 / Math.max(500, 5000 - depth);
  return [pane.x + scale * across, pane.y - scale * up];
}

function line(from, to, color, width) {
  pen.strokeStyle = color; pen.lineWidth = width; pen.beginPath();
  pen.moveTo(...from); pen.lineTo(...to); pen.stroke();
}

function drawGround(center, pane, color) {
  const step = 500, reach = 4;
  const x0 = Math.round(center[0] / step), z0 = Math.round(center[1] / step);
  for (let i = -reach; i <= reach; i++) {
    const at = (x, z) => project(x * step - center[0], -500, z * step - center[1], pane);
    line(at(x0 + i, z0 - reach), at(x0 + i, z0 + reach), color, 1);
    line(at(x0 - reach, z0 + i), at(x0 + reach, z0 + i), color, 1);
  }
}

function drawMotion(motion, pane, colors) {
  const places = motion.frames[Math.min(Math.floor(time), motion.frames.length - 1)];
  const center = follow.checked ? [places[0], places[2]] : [0, 0];
  drawGround(center, pane, colors.grid);
  const spots = data.parents.map((_, j) => project(
    places[3 * j] - center[0], places[3 * j + 1] - 500, places[3 * j + 2] - center[1], pane));
  data.parents.forEach((parent, j) => {
    if (parent >= 0) line(spots[parent], spots[j], colors.sides[data.sides[j]], 4);
  });
  pen.fillStyle = colors.ink;
  pen.fillText(motion.name, pane.left + 10, 22);
}

function draw() {
  const ratio = window.devicePixelRatio || 1;
  const width = canvas.clientWidth, height = canvas.clientHeight;
  canvas.width = width * ratio; canvas.height = height * ratio;
  pen.setTransform(ratio, 0, 0, ratio, 0, 0);
  pen.lineCap = "round"; pen.font = "14px system-ui, sans-serif";
  const dark = window.matchMedia("(prefers-color-scheme: dark)").matches;
  const colors = {ink: dark ? "#e8eaed" : "#1b2126", grid: dark ? "#30363c" : "#e4e8eb",
    sides: [dark ? "#a0a8b0" : "#5f6b75", "#3f90da", "#e76300"]};
  const each = width / scene.motions.length;
  scene.motions.forEach((motion, i) => {
    pen.save(); pen.beginPath(); pen.rect(i * each, 0, each, height); pen.clip();
    const pane = {left: i * each, x: (i + 0.5) * each, y: 0.52 * height,
      size: Math.min(each, height)};
    drawMotion(motion, pane, colors); pen.restore();
  });
  scrub.value = Math.floor(time);
  clock.textContent = `${(time / data.rate).toFixed(2)} s`;
}

function tick(now) {
  if (playing && last !== null) {
    time = (time + (now - last) / 1000 * data.rate * Number(speed.value)) % frames();
  }
  last = now; draw(); window.requestAnimationFrame(tick);
}

function choose(index) {
  scene = data.scenes[index]; time = 0; scrub.max = frames() - 1;
}

function toggle() { playing = !playing; play.textContent = playing ? "Pause" : "Play"; }

data.scenes.forEach((s, i) => choice.add(new Option(s.name, i)));
choice.addEventListener("change", () => choose(Number(choice.value)));
scrub.addEventListener("input", () => { if (playing) toggle(); time = Number(scrub.value); });
play.addEventListener("click", toggle);
document.addEventListener("keydown", event => {
  if (event.target !== document.body) return;
  if (event.key === " ") { toggle(); event.preventDefault(); }
  const step = {ArrowRight: 1, ArrowLeft: -1}[event.key];
  if (step) { if (playing) toggle(); time = (Math.floor(time) + step + frames()) % frames(); }
});
canvas.addEventListener("pointerdown", event => canvas.setPointerCapture(event.pointerId));
canvas.addEventListener("pointermove", event => {
  if (!event.buttons) return;
  camera.turn += event.movementX / 150;
  camera.tilt = Math.min(1.5, Math.max(-0.2, camera.tilt + event.movementY / 200));
});
canvas.addEventListener("wheel", event => {
  camera.near = Math.min(5, Math.max(0.3, camera.near * Math.exp(-event.deltaY / 800)));
  event.preventDefault();
}, {passive: false});
choose(0);
window.requestAnimationFrame(tick);
"""

_STYLE = """
body { height: 100vh; display: flex; flex-direction: column; font-size: 15px; }
header { display: flex; flex-wrap: wrap; gap: 0.5rem 1rem; align-items: center;
  padding: 0.6rem 1rem; }
h1 { font-size: 1.1rem; flex: 1; }
canvas { flex: 1; min-height: 0; width: 100%; touch-action: none; cursor: grab; }
footer { display: flex; gap: 0.8rem; align-items: center; padding: 0.6rem 1rem; }
#scrub { flex: 1; }
#play { width: 5rem; }
#clock { width: 4rem; text-align: right; font-variant-numeric: tabular-nums; }
"""

_BODY = Template("""<header>
<h1>$title</h1>
<label>Scene <select id="scene"></select></label>
<label>Speed <select id="speed"><option value="0.25">1/4</option><option value="0.5">1/2</option>
<option value="1" selected>1</option><option value="2">2</option></select></label>
<label><input id="follow" type="checkbox" checked> follow</label>
</header>
<canvas id="view" role="img" aria-label="Motions side by side; drag to look around"></canvas>
<footer>
<button id="play">Pause</button>
<input id="scrub" type="range" min="0" max="1" value="0" aria-label="Frame">
<span id="clock"></span>
</footer>
<script type="application/json" id="data">$data</script>
<script>$script</script>""")
