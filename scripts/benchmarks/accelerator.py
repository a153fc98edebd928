"""Exported generators on a GPU beside the CPU: bare session, folder of images, and eager PyTorch.

    python scripts/benchmarks/accelerator.py prepare FOLDER
    python scripts/benchmarks/accelerator.py measure FOLDER

`prepare` exports the ResNet-9 generator of CycleGAN in float32 and in float16, and needs
TensorFlow; `measure` runs them on drawn JPEGs of mixed sizes and needs `[gpu]` and, for the peer,
PyTorch, whose network has the same layout. The machine of `measure` needs no TensorFlow: carry
FOLDER there. Writes results/accelerator.json.
"""

import argparse
import itertools
import shutil
import statistics
import subprocess
import time
from pathlib import Path

import conversion_inputs as inputs
import numpy as np
from PIL import Image
from record import write_result

import keras_dtl
from keras_dtl.convert import convert_folder
from keras_dtl.images import read_image

PRECISIONS = ("float32", "float16")
BATCH, SIDE, IMAGES, ROUNDS = 8, 256, 400, 5
SIZES = ((256, 256), (320, 480), (480, 320), (500, 375))


def prepare(folder):
    inputs.make_once(folder / "resnet9", _export, draw_images(folder / "images"))


def _export(path, images):
    inputs.generator(path, 64, 9, precisions=("float16",), calibration=images)


def draw_images(folder):
    """Write JPEGs of soft spots over fine grain, as large as photos."""
    random = np.random.default_rng(0)
    folder.mkdir(parents=True, exist_ok=True)
    for number, size in zip(range(IMAGES), itertools.cycle(SIZES)):
        coarse = Image.fromarray(random.integers(0, 256, (12, 16, 3), dtype=np.uint8))
        picture = np.asarray(coarse.resize(size[::-1], Image.Resampling.BICUBIC)).astype(int)
        picture = (picture + random.integers(-20, 21, picture.shape)).clip(0, 255)
        Image.fromarray(picture.astype(np.uint8)).save(folder / f"{number:03}.jpg", quality=92)
    return folder


def session_speed(artifact, batches):
    """Return images a second of the session alone, on batches of one size."""
    artifact.run(batches[0])
    started = time.perf_counter()
    for batch in batches:
        artifact.run(batch)
    return sum(map(len, batches)) / (time.perf_counter() - started)


def folder_speed(artifact, source, out):
    """Return images a second from files to files, in their own mixed sizes."""
    shutil.rmtree(out, ignore_errors=True)
    started = time.perf_counter()
    report = convert_folder(artifact, source, out, batch_size=BATCH, gallery=0)
    if report.exit_status:
        raise SystemExit(f"error: images could not be converted: {report.failed}")
    return report.converted / (time.perf_counter() - started)


def torch_speed(batches, precision):
    """Return images a second of the same layout in eager PyTorch, channels last."""
    import torch
    from torch_translation import resnet

    kind = getattr(torch, precision)
    network = resnet(3, 64, 9, "instance").cuda().to(kind, memory_format=torch.channels_last)

    @torch.inference_mode()
    def run(batch):
        images = torch.from_numpy(batch).cuda().permute(0, 3, 1, 2)
        translated = network(images.to(kind) / 127.5 - 1)
        pixels = ((translated.float() + 1) * 127.5).round().clamp(0, 255).to(torch.uint8)
        return pixels.permute(0, 2, 3, 1).cpu().numpy()

    for batch in batches[:3]:
        run(batch)
    started = time.perf_counter()
    for batch in batches:
        run(batch)
    return sum(map(len, batches)) / (time.perf_counter() - started)


def measure(folder, device):
    path, source = folder / "resnet9", draw_images(folder / "images")
    files = sorted(source.iterdir())
    squares = [np.asarray(Image.open(file).resize((SIDE, SIDE))) for file in files]
    batches = [np.stack(squares[i : i + BATCH]) for i in range(0, IMAGES, BATCH)]
    artifacts = {
        "cpu float32": keras_dtl.load_artifact(path, "cpu"),
        **{f"{device} {p}": keras_dtl.load_artifact(path, device, precision=p) for p in PRECISIONS},
    }
    seen = [read_image(file)[None] for file in files[: len(SIZES)]]
    truth = [artifacts["cpu float32"](image) for image in seen]
    rounds = {name: {"session": [], "folder": []} for name in artifacts}
    for _, (name, artifact) in itertools.product(range(ROUNDS), artifacts.items()):
        # The CPU takes some hundred times as long.
        few = 4 if artifact.provider == "CPUExecutionProvider" else len(batches)
        rounds[name]["session"].append(session_speed(artifact, batches[:few]))
        if few == len(batches):
            rounds[name]["folder"].append(folder_speed(artifact, source, folder / "out"))
    peers = {}
    if device == "cuda":
        for _, precision in itertools.product(range(ROUNDS), PRECISIONS):
            peers.setdefault(precision, []).append(torch_speed(batches, precision))
    result = {
        "what": f"ResNet-9 at {SIDE} pixels, batches of {BATCH}: images a second, medians",
        "device": _device_name(device),
        "provider": {name: artifact.provider for name, artifact in artifacts.items()},
        "folder": f"{IMAGES} JPEGs of {', '.join(f'{w}x{h}' for h, w in SIZES)}, to PNG",
        "images_per_second": {
            name: {kind: statistics.median(values) for kind, values in found.items() if values}
            for name, found in rounds.items()
        },
        "eager_pytorch_images_per_second": {p: statistics.median(v) for p, v in peers.items()},
        "psnr_to_cpu_float32": {
            name: min(inputs.psnr(artifact(image), t) for image, t in zip(seen, truth, strict=True))
            for name, artifact in artifacts.items()
            if artifact.provider != "CPUExecutionProvider"
        },
        "rounds": rounds,
    }
    write_result("accelerator", result)


def _device_name(device):
    if device != "cuda":
        return device
    command = ["nvidia-smi", "--query-gpu=name", "--format=csv,noheader"]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("step", choices=("prepare", "measure"))
    parser.add_argument("folder", type=Path)
    parser.add_argument("--device", default="cuda", help="cuda or tensorrt; cpu to try it out")
    arguments = parser.parse_args()
    if arguments.step == "prepare":
        prepare(arguments.folder)
    else:
        measure(arguments.folder, arguments.device)


if __name__ == "__main__":
    main()
