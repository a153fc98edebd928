"""Files that were damaged anywhere are read or refused in time, and refused by the own errors."""

import contextlib
import json
import os
import time

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from keras_dtl.callbacks import Checkpoint
from keras_dtl.cli.study import Study
from keras_dtl.data.masks import class_numbers, read_classes, read_mask
from keras_dtl.data.walker import walk, walker_skeleton
from keras_dtl.images import ImageError
from keras_dtl.motion import BvhError, Skeleton, format_bvh, parse_bvh, read_motion, to_bvh
from keras_dtl.recipes import run_recipe
from keras_dtl.recipes.layer_transfer import LayerTransfer
from keras_dtl.recipes.runs import run_record
from keras_dtl.recipes.standing import check_settings, done_epochs

SECONDS = 2.0
"""That any of these small files may take."""
EXAMPLES = int(os.environ.get("KERAS_DTL_EXAMPLES", "25"))
"""Of each kind of file; a long search sets more."""


def damaged(content, data):
    """Return bytes with some changed, doubled, taken out or cut off."""
    content = bytearray(content)
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(content)))
        end = data.draw(st.integers(place, min(len(content), place + 40)))
        match data.draw(st.sampled_from(["change", "insert", "double", "drop", "cut"])):
            case "change" if place < len(content):
                content[place] = data.draw(st.integers(0, 255))
            case "insert":
                content[place:place] = data.draw(st.binary(max_size=8))
            case "double":
                content[place:place] = content[place:end]
            case "drop":
                del content[place:end]
            case "cut":
                del content[max(1, place) :]
    return bytes(content)


@contextlib.contextmanager
def refused(*errors):
    """Be the context that these errors alone may leave, and not late."""
    started = time.process_time()
    with contextlib.suppress(*errors):
        yield
    assert time.process_time() - started < SECONDS


BVH = format_bvh(to_bvh(walk(1, 0.4, 0.1, 0.2, frames=3), walker_skeleton(), 30.0))
WORDS = ("{", "}", "JOINT x", "End Site", "OFFSET", "CHANNELS 9", "nan", "1e999", "-0", "\n")


@settings(max_examples=EXAMPLES, deadline=None)
@given(st.data())
def test_bvh(data):
    if data.draw(st.booleans()):
        content = damaged(BVH.encode(), data)
    else:  # lines exchanged for words that mean something elsewhere
        lines = BVH.splitlines()
        for _ in range(data.draw(st.integers(1, 5))):
            place = data.draw(st.integers(0, len(lines) - 1))
            lines[place] = data.draw(st.sampled_from([*WORDS, *lines]))
        content = "\n".join(lines).encode()
    with refused(BvhError, ValueError):
        read_motion(parse_bvh(content), walker_skeleton())


@pytest.fixture(scope="module")
def masks(tmp_path_factory):
    """Masks of class numbers, of a palette and of colours, and the table of classes."""
    folder = tmp_path_factory.mktemp("masks")
    numbers = np.arange(24, dtype="uint8").reshape(4, 6) % 2
    image = Image.fromarray(numbers)
    image.save(folder / "numbers.png")
    palette = image.convert("P")
    palette.putpalette([9, 9, 9, 90, 9, 9])
    palette.save(folder / "palette.png")
    palette.convert("RGB").save(folder / "colours.png")
    Image.fromarray(numbers.astype("uint16")).save(folder / "wide.tif")
    (folder / "classes.csv").write_text("id,name,r,g,b\n0,sky,9,9,9\n1,road,90,9,9\n")
    return folder


@settings(max_examples=EXAMPLES, deadline=None)
@given(st.data())
def test_masks(masks, data):
    path = data.draw(st.sampled_from(sorted(masks.glob("[cnpw]*.*[gf]"))))
    changed = masks / f"damaged{path.suffix}"
    changed.write_bytes(damaged(path.read_bytes(), data))
    with refused(ImageError, ValueError):
        class_numbers(read_mask(changed), read_classes(masks), changed)


@settings(max_examples=EXAMPLES, deadline=None)
@given(st.data())
def test_tables_of_classes(masks, tmp_path_factory, data):
    folder = tmp_path_factory.getbasetemp()
    (folder / "classes.csv").write_bytes(damaged((masks / "classes.csv").read_bytes(), data))
    with refused(ValueError):
        read_classes(folder)


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    """A model of two weights, and the bytes of its checkpoint without the checksum at the end."""
    folder = tmp_path_factory.mktemp("checkpoint")
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    saving = Checkpoint(folder)
    model.fit(np.ones((2, 1)), np.ones((2, 1)), verbose=0, callbacks=[saving])
    return model, saving.path, saving.path.read_bytes()


@pytest.mark.slow
@settings(max_examples=EXAMPLES, deadline=None)
@given(st.data())
def test_checkpoints(checkpoint, data):
    model, path, content = checkpoint
    # Without its mark the checksum says nothing, and HDF5 reads whatever is there.
    mark = content.rindex(b"keras_dtl SHA-256:")
    path.write_bytes(damaged(content[: data.draw(st.sampled_from([mark, len(content)]))], data))
    with refused(ValueError):
        Checkpoint(path.parent).restore(model)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 2**70) | st.floats() | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=5,
)


def changed_value(value, data):
    """Return a value of JSON of which one part is another value."""
    if isinstance(value, dict) and value and data.draw(st.booleans()):
        key = data.draw(st.sampled_from(sorted(value)))
        return {**value, key: changed_value(value[key], data)}
    return data.draw(VALUES)


def write_changed(path, value, data):
    text = json.dumps(value).encode()
    damage = data.draw(st.booleans())
    path.write_bytes(
        damaged(text, data) if damage else json.dumps(changed_value(value, data)).encode()
    )


RUN = {
    "settings": {
        **{"recipe": "dann", "epochs": 2, "batch_size": 16, "seed": 0, "source": "digits"},
        **{"target": "digits_m", "shots": 0, "image_size": None, "augment": "none"},
        **{"learning_rate": None, "even_classes": False, "classes": ["a", "b"]},
    },
    "history": {"loss": [1.0, 0.5], "kid": [None, 0.1]},
    "scores": {"target": {"accuracy": 0.5}},
}


@settings(max_examples=EXAMPLES, deadline=None)
@given(st.data())
def test_records_of_a_run(tmp_path_factory, data):
    folder = tmp_path_factory.getbasetemp() / "run"
    folder.mkdir(exist_ok=True)
    for name, value in RUN.items():
        write_changed(folder / f"{name}.json", value, data)
    for ask in (
        lambda: run_recipe(folder).steps_per_epoch,
        lambda: check_settings(run_recipe(folder)),
        lambda: done_epochs(folder),
        *(lambda name=name: run_record(folder, name) for name in RUN),
    ):
        with refused(ValueError):
            ask()


def test_the_error_names_the_record_and_the_way_out(tmp_path):
    for text, kind in (("[1]", "holds a list"), ("{", "not valid JSON"), ("[" * 9**6, "not valid")):
        (tmp_path / "scores.json").write_text(text)
        with pytest.raises(ValueError, match=rf"scores\.json .*{kind}.*evaluate .* writes it anew"):
            run_record(tmp_path, "scores")


@settings(max_examples=EXAMPLES, deadline=None)
@given(st.data())
def test_studies(tmp_path_factory, data):
    path = tmp_path_factory.getbasetemp() / "study.json"
    study = LayerTransfer.__new__(LayerTransfer)
    study.settings, study.path = Study("layer-transfer"), path
    value = {"settings": study._fixed_settings(), "cells": {"split0/seed0/BnB/1": 0.5}}
    write_changed(path, value, data)
    with refused(ValueError):
        study._read_cells()


@settings(max_examples=EXAMPLES, deadline=None)
@given(st.data())
def test_skeletons_of_a_run(data):
    value = json.loads(json.dumps(walker_skeleton().to_json()))
    with refused(ValueError):
        skeleton = Skeleton.from_json(changed_value(value, data))
        assert skeleton.leg >= 0 and skeleton.num_features > 0
        read_motion(parse_bvh(BVH), skeleton)
