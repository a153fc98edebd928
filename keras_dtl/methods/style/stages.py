"""The stages of a transfer, from small images to large, and how one that was stopped goes on."""

import hashlib
import json
import numbers
from pathlib import Path

import numpy as np

from keras_dtl.files import atomic_path
from keras_dtl.methods.style.pixel_optimizers import Step

SAVE_EVERY = 50
"""Iterations between two savings. The optimizer starts afresh there, so that an image whose
making was stopped equals one whose making never was."""


class StyleState:
    """How far a transfer has come: in memory, and in a file where one is given.

    Args:
        path: Where to keep it, or None.
        settings: JSON-ready dictionary of what decides the result.
        images: uint8 arrays that decide it, too.
    """

    def __init__(self, path, settings, images):
        self.path = None if path is None else Path(path)
        digest = hashlib.sha256(json.dumps(settings, sort_keys=True).encode())
        for image in images:
            digest.update(str(image.shape).encode() + np.ascontiguousarray(image).tobytes())
        self.made_from = digest.hexdigest()
        self.stage, self.iteration, self.image = 0, 0, None
        if self.path is not None and self.path.exists():
            self._load()

    def _load(self):
        try:
            with np.load(self.path, allow_pickle=False) as file:
                made_from = str(file["made_from"])
                self.stage, self.iteration = (int(file[key]) for key in ("stage", "iteration"))
                self.image = file["image"]
        # What damaged archives and arrays make of their readers has no base class but Exception.
        except Exception as error:
            raise ValueError(
                f"{self.path} is not the state of a style transfer: {error}. Delete it to begin "
                "again."
            ) from error
        if made_from != self.made_from:
            raise ValueError(
                f"{self.path} belongs to a transfer of other images or with other settings. "
                "Resume with the old ones, or delete it to begin again."
            )

    @property
    def stretch(self):
        """How many iterations to run before saving, or None for all."""
        return None if self.path is None else SAVE_EVERY

    def save(self, stage, iteration, image):
        """Note that so many iterations of a stage are done."""
        self.stage, self.iteration, self.image = stage, iteration, image
        if self.path is None:
            return
        with atomic_path(self.path) as temporary, open(temporary, "wb") as file:
            np.savez(file, made_from=self.made_from, stage=stage, iteration=iteration, image=image)

    def finish(self):
        """Remove the file: what is finished is not resumed."""
        if self.path is not None:
            self.path.unlink(missing_ok=True)


def start_settings(init):
    """Return what a start says of itself among the settings of a `StyleState`.

    Args:
        init: `"content"`, `"noise"`, or an image, which belongs among the state's images.
    """
    return "image" if isinstance(init, np.ndarray) else init


def stages(sizes, iterations):
    """Return `[(longer side or None, iterations), ...]`, one for each size.

    Raises:
        ValueError: When their numbers differ, or one is below 1.
    """
    sizes = (None,) if sizes is None else tuple(sizes)
    counts = (iterations,) * len(sizes) if np.ndim(iterations) == 0 else tuple(iterations)
    given = [number for number in (*sizes, *counts) if number is not None]
    are_whole = all(isinstance(number, numbers.Integral) and number >= 1 for number in given)
    if not sizes or len(sizes) != len(counts) or not are_whole:
        raise ValueError(
            "`sizes` must hold one size or more, and `iterations` be a number or one for each of "
            "them, all whole numbers of 1 or more. Received: "
            f"sizes={sizes}, iterations={iterations}"
        )
    return list(zip(sizes, counts, strict=True))


def descend(objective, image, optimizer, iterations, state, stage, callback):
    """Run the iterations of a stage that are not done yet, and save the state along the way."""
    first = state.iteration if stage == state.stage else 0
    evaluated = 0
    while first < iterations:
        count = min(state.stretch or iterations, iterations - first)
        report = _Reporter(first, iterations, evaluated, callback)
        image = optimizer.minimize(objective, image, count, report)
        first, evaluated = first + count, report.evaluations
        state.save(stage, first, image)
    return image


class _Reporter:
    """Turns what an optimizer reports into the `Step` of a callback."""

    def __init__(self, first, iterations, evaluated, callback):
        self.iteration = first
        self.iterations = iterations
        self.evaluated = self.evaluations = evaluated
        self.callback = callback

    def __call__(self, found, image, evaluations):
        self.iteration += 1
        self.evaluations = self.evaluated + evaluations
        if self.callback is not None:
            step = (self.iteration, self.iterations, self.evaluations, found.loss, found.terms)
            self.callback(Step(*step, image))
