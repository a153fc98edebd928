# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
# ---

# %% [markdown]
# # Segment under another light
#
# Digits over photos, and which pixels belong to the digit: by day, and at dusk without masks. A
# little U-Net learns from dusk into which parts of the day are pasted (`dacs`), about a minute.
# With an adversary, `method="output-space"`, it takes every pixel for the digit: a run says what
# guessing reaches, and nothing below that is published.

# %%
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image

from keras_dtl import convert_folder, load, load_artifact
from keras_dtl.images import write_image
from keras_dtl.recipes import RECIPES
from keras_dtl.recipes.training import publish, train

folder = Path(tempfile.mkdtemp())
digits, grounds = load("digits").images[:160], load("digits_m").images[:160]


# %%
def write_domain(name, light):
    """Write digits before grounds at a light in 0..1, and their masks."""
    for index, (digit, ground) in enumerate(zip(digits, grounds, strict=True)):
        mask = (digit.max(-1) > 127).astype("uint8")
        image = np.where(mask[..., None] == 1, 255 - ground // 4, ground // 2) * light
        write_image(folder / name / "images" / f"{index:03}.png", image.astype("uint8"))
        write_image(folder / name / "masks" / f"{index:03}.png", mask[..., None])


write_domain("day", 1.0)
write_domain("dusk", 0.4)

# %%
recipe = RECIPES["segmentation"](
    source=f"folder:{folder / 'day'}",
    target=f"folder:{folder / 'dusk'}",
    method="dacs",
    backbone="unet",
    filters=8,
    batch_size=8,
    epochs=4,
    min_steps=30,
    output=folder / "run",
    artifact=folder / "artifact",
)
trained = train(recipe)
publish(recipe, trained)
print({name: round(scores["mean_iou"], 3) for name, scores in trained.scores.items()})

# %%
report = convert_folder(
    load_artifact(recipe.artifact_folder), folder / "dusk" / "images", folder / "out", limit=8
)
mask = np.asarray(Image.open(folder / "out" / "000.png"))
print(report.converted, "masks, the first of", mask.shape, "with the classes", np.unique(mask))
