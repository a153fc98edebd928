"""What faults.py disturbs: every verb that writes, on small data that is made here.

A case is a command; how it is given again after it was stopped; and what tells that its outputs
are whole, and the ones that nothing disturbed.
"""

import csv
import hashlib
import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import NamedTuple

import h5py
import numpy as np
import onnx
from record import ROOT

sys.path.insert(0, str(ROOT))
from keras_dtl.callbacks.weights_file import MemoryFile, without_checksum
from keras_dtl.images import read_image, write_image
from keras_dtl.manifest import read_manifest, verify_file

IMAGES, SIDE = 80, 48
ENGINES, WAYS = ("threads", "processes", "ray"), ("first", "again")
CLASSES = ("left", "right", "top", "bottom")
COMPARED = (".keras", ".onnx", ".npz", "history.json", "scores.json", "selection.json")
"""Ends of the names of what a training and the like leave that must not depend on any stop."""


class Case(NamedTuple):
    """A command that is disturbed, its words with `{out}` in them, which is its own folder."""

    name: str
    words: tuple[str, ...]
    again: tuple[str, ...] = ()
    """Words that are added where it is given again."""
    before: tuple[tuple[str, ...], ...] = ()
    """Commands that are run first, and not disturbed."""

    @property
    def is_conversion(self):
        return self.words[0] == "convert"


def begin(words, folder, **options):
    """Start a command of this package on its own folder, quietly; return the process."""
    line = [sys.executable, "-m", "keras_dtl.cli", *(word.format(out=folder) for word in words)]
    quiet = {"PYTHONPATH": str(ROOT), "TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "-1"}
    streams = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, **options}
    return subprocess.Popen(line, env={**os.environ, **quiet}, **streams)


# What a command leaves -------------------------------------------------------------------------


def visible_files(folder):
    """Return `{name: path}` of all files but hidden ones and their folders."""
    found = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*")}
    return {
        name: path
        for name, path in found.items()
        if path.is_file() and not any(part.startswith(".") for part in Path(name).parts)
    }


def _by_age(folder, name):
    """Return a name in which the version of an artifact is its place among those that stay.

    An export that was over when it was killed is given again: its versions are one further.
    """
    *above, file = Path(name).parts
    if not (above and above[-1].isdecimal()):
        return name
    artifact = folder.joinpath(*above[:-1])
    versions = sorted(int(path.name) for path in artifact.iterdir() if path.name.isdecimal())
    return Path(*above[:-1], f"version {versions.index(int(above[-1])) + 1}", file).as_posix()


def outputs(case, folder):
    """Return what must be the same in every run, by name: the digest of its content."""
    found = {}
    for name, path in visible_files(folder).items():
        if case.is_conversion:
            kept = not path.name.startswith(("report", "gallery"))
        else:
            kept = name.endswith(COMPARED) or path.suffix in (".png", ".jpg")
            kept = kept and not path.name.startswith("figure")
        if kept:
            found[name if case.is_conversion else _by_age(folder, name)] = _digest(path)
    return found


def _digest(path):
    data = path.read_bytes()
    if path.suffix == ".keras":  # beside the weights are the date and names that were counted
        data = _weights(path)
    elif path.suffix == ".onnx":  # names of layers count what a process has made before
        data = onnx_content(onnx.load_from_string(data).graph)
    return hashlib.sha256(data).hexdigest()


def onnx_content(graph, known=()):
    """Return a digest of what a graph computes, whatever its values are called and their order."""
    known = dict(known)
    for tensor in graph.initializer:
        known[tensor.name] = _joined(*_tensor(tensor))
    for place, value in enumerate(graph.input):
        known.setdefault(value.name, b"%d" % place)
    for node in graph.node:
        if node.op_type == "Identity":  # which of two equal outputs is a copy is left to chance
            known[node.output[0]] = known.get(node.input[0], b"")
            continue
        parts = [node.op_type.encode(), *(known.get(name, b"") for name in node.input)]
        for item in sorted(node.attribute, key=lambda attribute: attribute.name):
            parts += [item.name.encode(), *_attribute(item, known)]
        for place, name in enumerate(node.output):
            known[name] = _joined(*parts, b"%d" % place)
    return _joined(*(known[value.name] for value in graph.output))


def _attribute(item, known):
    if item.HasField("g"):
        return [onnx_content(item.g, known)]
    return _tensor(item.t) if item.HasField("t") else [item.SerializeToString()]


def _tensor(tensor):
    array = onnx.numpy_helper.to_array(tensor)
    return [f"{array.dtype} {array.shape}".encode(), array.tobytes()]


def _joined(*parts):
    return hashlib.sha256(b"".join(hashlib.sha256(part).digest() for part in parts)).digest()


def _weights(path):
    """Return the names, kinds and bytes of all arrays of a `.keras` file, in order."""
    with zipfile.ZipFile(path) as file:
        content = MemoryFile(file.read("model.weights.h5"))
    found = []
    with h5py.File(content) as file:
        file.visititems(lambda name, item: found.append((name, item)))
        arrays = [(name, np.asarray(item)) for name, item in found if hasattr(item, "shape")]
    return b"".join(
        f"{name} {array.dtype} {array.shape}".encode() + array.tobytes()
        for name, array in sorted(arrays, key=lambda pair: pair[0])
    )


def half_files(folder):
    """Return the names of the files that are not whole, each read for what it is."""
    found = [name for name, path in visible_files(folder).items() if not _is_whole(path)]
    return found + [
        str(path.parent)
        for path in folder.rglob("manifest.json")
        if not any(part.startswith(".") for part in path.relative_to(folder).parts)
        and not _is_artifact(path.parent)
    ]


def _is_artifact(folder):
    """Whether all is there that a manifest lists; of an earlier version all in its folder."""
    try:
        manifest = read_manifest(folder)
        place = folder.parent if folder.name == f"{manifest.version}" else folder
        names = [name for name in manifest.files if (place / name).is_relative_to(folder)]
        for name in names:
            verify_file(place, manifest, name)
    except (ValueError, OSError):
        return False
    return True


def _is_whole(path):
    try:
        data = path.read_bytes()
        if path.suffix in (".keras", ".npz"):
            with zipfile.ZipFile(path) as file:
                return file.testzip() is None
        if path.suffix == ".json":
            json.loads(data)
        elif path.suffix in (".png", ".jpg"):
            read_image(path)
        elif path.suffix == ".html":
            return data.rstrip().endswith(b"</html>")
        elif path.suffix == ".h5":
            h5py.File(MemoryFile(without_checksum(data))).close()
    except (ValueError, OSError, zipfile.BadZipFile):
        return False
    return bool(data)


# Small data ------------------------------------------------------------------------------------


def write_classes(folder, seed, brightness=0, side=16, count=14):
    """Write bars whose place tells the class, `count` images of each."""
    noise = np.random.default_rng(seed)
    for label, name in enumerate(CLASSES):
        for index in range(count):
            image = noise.integers(0, 60, (side, side, 3)) + brightness
            image = np.rot90(image, label).copy()
            image[:, : side // 2] += 100
            write_image(folder / name / f"{index}.png", np.rot90(image, -label).astype("uint8"))


def write_photos(folder, seed, count, shape):
    noise = np.random.default_rng(seed)
    for index in range(count):
        image = noise.integers(0, 256, shape, dtype=np.uint8)
        write_image(folder / f"{index:03}.png", image)


def write_masks(folder, light, count=6):
    """Write roads below the sky, with a mask of each image."""
    for index in range(count):
        mask = np.zeros((16, 16), "uint8")
        mask[5 + index :] = 1
        image = np.where(mask[..., None] == 1, light // 3, light) * np.ones(3)
        write_image(folder / f"images/{index}.png", image.astype("uint8"))
        write_image(folder / f"masks/{index}.png", mask[..., None])
    with open(folder / "classes.csv", "w", encoding="utf-8", newline="") as file:
        rows = (("id", "name", "r", "g", "b"), (0, "sky", 9, 9, 9), (1, "road", 90, 9, 9))
        csv.writer(file).writerows(rows)


def write_data(folder):
    """Write the images, masks and clips that the cases read."""
    from keras_dtl.data.walker import walk, walker_skeleton
    from keras_dtl.motion import to_bvh, write_bvh

    write_classes(folder / "source", 0)
    write_classes(folder / "target", 1, brightness=60)
    write_photos(folder / "pairs", 2, 20, (16, 32, 3))
    write_photos(folder / "a", 3, 20, (16, 16, 3))
    write_photos(folder / "b", 4, 24, (16, 16, 3))
    write_photos(folder / "photos", 5, IMAGES, (SIDE, SIDE, 3))
    write_photos(folder / "few", 6, 3, (16, 16, 3))
    write_image(folder / "style.png", read_image(folder / "photos" / "000.png"))
    for name, light in (("day", 210), ("dusk", 120)):
        write_masks(folder / name, light)
    for index in range(IMAGES // 2):
        positions = walk(1 + index / 40, 0.4, 0.1, 0.2, frames=40)
        write_bvh(folder / f"clips/{index}.bvh", to_bvh(positions, walker_skeleton(), 30.0))


def write_network(folder):
    """Write a VGG19 of random weights, in whose features style is measured."""
    from keras_dtl.backbones.vgg import save_vgg19, vgg19_features

    save_vgg19(vgg19_features(weights=None), folder / "vgg19.npz")


def write_artifacts(folder):
    """Write two artifacts of each task, of a few operations and without a training."""
    from tests.convert import test_motion as motion
    from tests.convert.conftest import write_classifier, write_negative

    write_classifier(folder / "classifier", (8, 8))
    write_negative(folder / "generator")
    for node in ("Identity", "Neg"):
        motion.artifact(folder / node, node=node)


# The cases -------------------------------------------------------------------------------------


def conversions(data, artifacts, engines=ENGINES):
    """Return conversions by each engine: first ones, and ones that are made again otherwise."""
    kinds = {
        "classifier": (("classifier", "photos", ()), ("classifier", "photos", ("--top", "2"))),
        "generator": (("generator", "photos", ()), ("generator", "photos", ("--format", "jpg"))),
        "motion": (("Identity", "clips", ()), ("Neg", "clips", ())),
    }
    found = []
    for task, choices in kinds.items():
        for engine in engines:
            first, other = (_conversion(data, artifacts, engine, *choice) for choice in choices)
            found.append(Case(f"convert {task}, {engine}, first", first))
            found.append(Case(f"convert {task}, {engine}, again", other, before=(first,)))
    return found


def _conversion(data, artifacts, engine, artifact, folder, options):
    places = (f"{artifacts / artifact}", f"{data / folder}", "{out}/out")
    return ("convert", *places, "--engine", engine, "--workers", "2", "--gallery", "0", *options)


def trainings(data):
    """Return a short training of every recipe, and of what they are begun from."""
    domains = ("--source", f"folder:{data}/source", "--target", f"folder:{data}/target")
    short = ("--batch-size", "16", "--min-steps", "4")
    motion = ("--source", "walker", "--window", "24", "--stride", "48", "--filters", "4")
    images = ("--image-size", "16", "--filters", "2", "--receptive-field", "16")
    images += ("--batch-size", "4", "--measure-every", "1", "--keep", "last")
    codes = ("--source", f"folder:{data}/source", "--image-size", "16", "--channels", "3")
    codes += ("--filters", "2", "--content", "3", "--style", "2", "--batch-size", "8")
    of_domains = ("dann", "cdan", "dan", "deep-coral", "adda", "mcc", "adamatch", "mme", "ccsa")
    words = {
        **dict.fromkeys((*of_domains, "source-only"), (*domains, *short)),
        "shot": ("--start", "{out}/first", *domains[2:], *short),
        "fine-tuning": (*domains[2:], *short),
        "segmentation": (
            *("--source", f"folder:{data}/day", "--target", f"folder:{data}/dusk"),
            *("--backbone", "unet", "--filters", "2", "--batch-size", "2", "--min-steps", "4"),
        ),
        "pix2pix": ("--source", f"paired:{data}/pairs", *images),
        "cyclegan": (
            *("--source", f"folder:{data}/a", "--target", f"folder:{data}/b"),
            *(*images, "--blocks", "1"),
        ),
        "fast-style": (
            *("--photos", f"folder:{data}/photos", "--style", f"{data}/style.png"),
            *("--weights", f"{data}/vgg19.npz", "--image-size", "32", "--crop-size", "16"),
            *("--style-size", "32", "--filters", "4", "--batch-size", "16"),
        ),
        **dict.fromkeys(("swap-vae", "gmv", "cgmv"), codes),
        "motion-style": (*motion, "--content", "4", "--style", "3", "--min-steps", "4"),
        "motion-aae": (*motion[:6], "--units", "4", "--code", "3", "--min-steps", "4"),
        "motion-gmv": (*motion, "--content", "4", "--style", "3", "--min-steps", "4"),
    }
    first = _training("source-only", words["source-only"], "first")
    return [
        Case(
            f"train {name}",
            _training(name, flags, "run"),
            ("--resume",),
            (first,) if name == "shot" else (),
        )
        for name, flags in words.items()
    ]


def _training(name, flags, run, epochs=3):
    places = ("--output", f"{{out}}/{run}", "--artifact", f"{{out}}/{run}-artifact")
    return ("train", name, *flags, "--epochs", f"{epochs}", "--export-anyway", *places)


def other_verbs(data):
    """Return the other verbs that write: studies, style transfers, exports, scores, adaptations."""
    (first,) = [case for case in trainings(data) if case.name == "train source-only"]
    run = ("{out}/run",)
    target = ("--target", f"folder:{data}/target")
    style = ("stylize", f"{data}/few", f"{data}/style.png", "{out}/out", "--size", "16")
    style += ("--iterations", "6", "--weights", f"{data}/vgg19.npz")
    study = ("study", "layer-transfer", "--source", f"folder:{data}/source", "--seeds", "1")
    study += ("--shots", "6", "--epochs", "1", "--min-steps", "4", "--layers", "1", "2")
    export = ("export", *run, "--output", "{out}/exported", "--export-anyway")
    adapt = ("adapt", *run, *target, "--epochs", "2", "--min-steps", "4")
    places = ("--output", "{out}/adapted", "--artifact", "{out}/adapted-artifact")
    return [
        Case("study", (*study, "--output", "{out}/study")),
        Case("stylize", style, ("--resume",)),
        Case("export, first", export, before=(first.words,)),
        Case("export, again", (*export, "--keep-versions", "1"), before=(first.words, export)),
        Case("evaluate", ("evaluate", *run, *target), before=(first.words,)),
        Case("adapt", (*adapt, *places), ("--resume",), (first.words,)),
    ]
