"""What the page of an artifact is made of: its words, its style, its script."""

from string import Template

from keras_dtl.page import style_sheet

SOURCES = "script-src 'self' 'unsafe-inline' 'wasm-unsafe-eval'; connect-src 'self'; img-src blob:"

STYLE = style_sheet("""
main { max-width: 60rem; margin: 2.5rem auto; padding: 0 1.25rem; }
.place { display: block; margin: 1.5rem 0; padding: 2.5rem 1rem; border: 2px dashed $grid;
  border-radius: 10px; background: $surface; text-align: center; cursor: pointer; }
.place.over, .place:focus-within { border-color: $accent; }
.place input { display: block; margin: 0.75rem auto 0; max-width: 100%; }
#status { min-height: 1.6em; color: $muted; }
#status.failed { color: $warning; }
#shown { display: flex; flex-wrap: wrap; gap: 1.25rem; align-items: flex-start; }
figure { margin: 0; max-width: 100%; }
img, canvas { max-width: 100%; max-height: 70vh; border-radius: 6px; }
.small { width: 256px; image-rendering: pixelated; }
.bar { display: block; height: 0.45rem; min-width: 1px; border-radius: 3px; background: $accent; }
td:nth-child(2) { text-align: right; }
td:nth-child(3) { width: 12rem; vertical-align: middle; }
""")

BODY = Template("""<main>
<h1>$name</h1>
<p>$task, in this browser: no image leaves it.</p>
<label class="place" id="place">Drop an image here, or choose one
<input type="file" id="choice" accept="image/*"></label>
<p id="status" role="status">Loading the model ...</p>
<div id="shown"></div>
</main>
<script type="application/json" id="model">$data</script>
<script src="$package/ort.wasm.min.js"></script>
<script>$script</script>""")

SCRIPT = r"""
"use strict";
const model = JSON.parse(document.getElementById("model").textContent);
const place = document.getElementById("place"), choice = document.getElementById("choice");
const status = document.getElementById("status"), shown = document.getElementById("shown");

// What Pillow's bilinear filter does, in the same whole numbers: along one axis of an array of
// (outer, number, inner) values.
const BITS = 22;

function along(values, outer, number, inner, length) {
  if (number === length) return values;
  const result = new Uint8Array(outer * length * inner);
  const scale = number / length, support = Math.max(scale, 1);
  for (let target = 0; target < length; target++) {
    const centre = (target + 0.5) * scale;
    const first = Math.max(Math.trunc(centre - support + 0.5), 0);
    const end = Math.min(Math.trunc(centre + support + 0.5), number);
    const weights = [];
    for (let at = first; at < end; at++)
      weights.push(Math.max(1 - Math.abs((at - centre + 0.5) / support), 0));
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    const whole = weights.map(weight => Math.trunc(weight / total * 2 ** BITS + 0.5));
    for (let row = 0; row < outer; row++) for (let item = 0; item < inner; item++) {
      let sum = 2 ** (BITS - 1);
      for (let at = first; at < end; at++)
        sum += whole[at - first] * values[(row * number + at) * inner + item];
      result[(row * length + target) * inner + item] = Math.min(sum / 2 ** BITS, 255);
    }
  }
  return result;
}

function resized(image, height, width) {
  const rows = along(image.values, image.height, image.width, image.channels, width);
  const values = along(rows, 1, image.height, width * image.channels, height);
  return {...image, values, height, width};
}

// Upright pixels as the model takes them; what is transparent is laid over white.
async function pixelsOf(file) {
  const options = {imageOrientation: "from-image", colorSpaceConversion: "none"};
  const picture = await createImageBitmap(file, options);
  const {width, height} = picture, channels = model.channels;
  const pen = new OffscreenCanvas(width, height).getContext("2d", {willReadFrequently: true});
  pen.fillStyle = "white";
  pen.fillRect(0, 0, width, height);
  pen.drawImage(picture, 0, 0);
  const seen = pen.getImageData(0, 0, width, height).data;
  const values = new Uint8Array(width * height * channels);
  for (let at = 0; at < width * height; at++) {
    const [red, green, blue] = seen.subarray(4 * at, 4 * at + 3);
    if (channels === 1) values[at] = (red * 19595 + green * 38470 + blue * 7471 + 0x8000) >> 16;
    else values.set([red, green, blue], 3 * at);
  }
  return {values, height, width, channels};
}

function element(kind, text, parent) {
  const made = document.createElement(kind);
  if (text !== null) made.textContent = text;
  parent.append(made);
  return made;
}

function canvasOf(height, width, colorAt, title) {
  const figure = element("figure", null, shown), canvas = element("canvas", null, figure);
  canvas.width = width; canvas.height = height;
  if (Math.max(width, height) < 256) canvas.className = "small";
  const pen = canvas.getContext("2d"), image = pen.createImageData(width, height);
  for (let at = 0; at < width * height; at++) image.data.set(colorAt(at), 4 * at);
  pen.putImageData(image, 0, 0);
  element("figcaption", title, figure);
}

function showImage(image, title) {
  const {values, channels} = image;
  canvasOf(image.height, image.width, at => {
    const pixel = values.subarray(channels * at, channels * (at + 1));
    if (channels === 4) return pixel;
    return channels === 3 ? [...pixel, 255] : [pixel[0], pixel[0], pixel[0], 255];
  }, title);
}

// Colours far apart, where the model was trained with none.
function colorOf(number) {
  if (model.colors && model.colors[number]) return [...model.colors[number].slice(0, 3), 255];
  return [53, 101, 197].map(step => (number * step * 7 + 40) % 256).concat(255);
}

function showMap(values, height, width, name) {
  canvasOf(height, width, at => colorOf(values[at]), name);
  const counts = new Map();
  for (const value of values) counts.set(value, (counts.get(value) || 0) + 1);
  const rows = [...counts].map(([number, count]) => [nameOf(number), count / values.length]);
  showTable(rows.sort((one, other) => other[1] - one[1]), true);
}

function nameOf(number) {
  return model.classes && model.classes[number] !== undefined ? model.classes[number] : `${number}`;
}

function showTable(rows, areShares) {
  const table = element("table", null, shown);
  for (const [name, value] of rows.slice(0, 20)) {
    const row = element("tr", null, table);
    element("td", name, row);
    element("td", areShares ? `${(value * 100).toFixed(1)} %` : value.toPrecision(6), row);
    const bar = areShares ? element("span", "", element("td", null, row)) : null;
    if (bar) { bar.className = "bar"; bar.style.width = `${Math.max(0, value) * 100}%`; }
  }
}

function show(name, {dims, data: values}, own) {
  if (values instanceof Uint8Array && dims.length === 3)
    return showMap(values, ...dims.slice(1), name);
  if (values instanceof Uint8Array && dims.length >= 4) {
    const [height, width, channels] = dims.slice(-3), size = height * width * channels;
    for (let at = 0; at < values.length; at += size) {
      let image = {values: values.subarray(at, at + size), height, width, channels};
      if (model.resize && model.task === "image_to_image")
        image = resized(image, own.height, own.width);
      showImage(image, name);
    }
    return;
  }
  const areShares = name === "probabilities";
  const rows = Array.from(values, (value, number) => [nameOf(number), Number(value)]);
  showTable(areShares ? rows.sort((one, other) => other[1] - one[1]) : rows, areShares);
}

function say(text, failed) {
  status.textContent = text;
  status.className = failed ? "failed" : "";
}

let session = null;

async function answer(file) {
  say("Computing ...");
  try {
    const own = await pixelsOf(file);
    const taken = model.resize ? resized(own, ...model.resize) : own;
    const shape = [1, taken.height, taken.width, taken.channels];
    const tensor = new ort.Tensor("uint8", taken.values, shape);
    const start = performance.now(), results = await (await session).run({[model.input]: tensor});
    const time = performance.now() - start;
    shown.textContent = "";
    const figure = element("figure", null, shown), image = element("img", null, figure);
    image.src = URL.createObjectURL(file);
    image.alt = "";
    element("figcaption", file.name, figure);
    for (const name of model.outputs) show(name, results[name], own);
    say(`${own.width} x ${own.height} pixels, ${Math.round(time)} ms`);
    // For pages that build on this one.
    document.dispatchEvent(new CustomEvent("answer", {detail: results}));
  } catch (error) {
    say(`${file.name}: ${error.message || error}`, true);
    document.dispatchEvent(new CustomEvent("failure", {detail: String(error.message || error)}));
  }
}

for (const kind of ["dragenter", "dragover", "dragleave", "drop"])
  document.addEventListener(kind, event => {
    event.preventDefault();
    place.classList.toggle("over", kind === "dragenter" || kind === "dragover");
    if (kind === "drop" && event.dataTransfer.files.length) answer(event.dataTransfer.files[0]);
  });
choice.addEventListener("change", () => { if (choice.files.length) answer(choice.files[0]); });

if (location.protocol === "file:" || typeof ort === "undefined") {
  say("A browser takes the model from a server alone: run `python -m http.server` in this folder "
    + "and open http://localhost:8000.", true);
} else {
  ort.env.wasm.numThreads = 1;
  ort.env.wasm.wasmPaths = new URL("onnxruntime-web/", location.href).href;
  session = ort.InferenceSession.create("model.onnx");
  session.then(() => say("Ready."), error => say(`model.onnx: ${error.message || error}`, true));
}
"""
