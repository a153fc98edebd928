# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
# ---

# %% [markdown]
# # Translate images learnt from pairs
#
# pix2pix colours grey photos. Two minutes teach it little: skies turn blue, no more. The same
# recipe with more photos, `--filters 64` and an evening does better.

# %%
import tempfile
from pathlib import Path

import numpy as np
from sklearn.datasets import load_sample_images

from keras_dtl import convert_folder, load_artifact
from keras_dtl.images import read_image, write_image
from keras_dtl.recipes import RECIPES
from keras_dtl.recipes.training import publish, train

# %% [markdown]
# Two photos come with scikit-learn; their parts are the data.


# %%
def parts(size, step):
    """Return square parts of both photos, uint8 `(parts, size, size, 3)`."""
    return np.stack(
        [
            photo[top : top + size, left : left + size]
            for photo in load_sample_images().images
            for top in range(0, photo.shape[0] - size + 1, step)
            for left in range(0, photo.shape[1] - size + 1, step)
        ]
    )


folder = Path(tempfile.mkdtemp())
colours = parts(64, 53)
for index, colour in enumerate(colours):
    grey = np.repeat(colour.mean(-1, keepdims=True), 3, -1).astype("uint8")
    write_image(folder / "pairs" / f"{index:03}.png", np.concatenate([grey, colour], 1))

# %% [markdown]
# A at the left, B at the right of each file: what `--source paired:pairs` expects.

# %%
recipe = RECIPES["pix2pix"](
    source=f"paired:{folder / 'pairs'}",
    image_size=32,
    filters=8,
    receptive_field=16,
    epochs=3,
    measure_every=3,
    keep="last",
    output=folder / "run",
    artifact=folder / "artifact",
)
publish(recipe, train(recipe))

# %% [markdown]
# The generator takes images of any size.

# %%
for index, photo in enumerate(load_sample_images().images):
    grey = np.repeat(photo.mean(-1, keepdims=True), 3, -1).astype("uint8")
    write_image(folder / "grey" / f"{index}.png", grey[:128, :192])
report = convert_folder(load_artifact(recipe.artifact_folder), folder / "grey", folder / "out")
print(report.converted, "images of", read_image(folder / "out" / "0.png").shape)
