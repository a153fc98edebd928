"""The commands that faults.py disturbs: every verb that writes, on small data."""

import os
import subprocess
import sys
from typing import NamedTuple

from record import ROOT

ENGINES = ("threads", "processes", "ray")


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


def conversions(data, artifacts):
    """Return conversions by each engine: first ones, and ones that are made again otherwise."""
    kinds = {
        "classifier": (("classifier", "photos", ()), ("classifier", "photos", ("--top", "2"))),
        "generator": (("generator", "photos", ()), ("generator", "photos", ("--format", "jpg"))),
        "motion": (("Identity", "clips", ()), ("Neg", "clips", ())),
    }
    found = []
    for task, choices in kinds.items():
        for engine in ENGINES:
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


def _training(name, flags, run):
    places = ("--output", f"{{out}}/{run}", "--artifact", f"{{out}}/{run}-artifact")
    return ("train", name, *flags, "--epochs", "3", "--export-anyway", *places)


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
