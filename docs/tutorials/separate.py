# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
# ---

# %% [markdown]
# # Content and style of images apart
#
# `SwapVAE` parts which digit it is from how it is written; the artifact writes every digit as one
# was written. A minute teaches it the rough form; see the results for what minutes more reach.

# %%
import tempfile
from pathlib import Path

from keras_dtl import convert_folder, export_model, load, load_artifact
from keras_dtl.images import read_image, resize_image, write_image
from keras_dtl.recipes import RECIPES
from keras_dtl.recipes.training import train

folder = Path(tempfile.mkdtemp())
recipe = RECIPES["swap-vae"](
    source="digits", style=8, content=8, filters=8, epochs=2, output=folder / "run"
)
trained = train(recipe)

# %% [markdown]
# The style of one test image, given to others: `keras-dtl export --style-of IMAGE` does the same.

# %%
images, labels = load("digits", "test").arrays()
height, width, channels = trained.model.encoder.input_shape[1:]
style = resize_image(images[0][..., :channels], (height, width))
export_model(trained.model.in_style_of(style), folder / "artifact", task="image_to_image")

# %%
for index in range(10):
    write_image(folder / "digits" / f"{labels[index]}_{index}.png", images[index])
report = convert_folder(load_artifact(folder / "artifact"), folder / "digits", folder / "out")
name = next((folder / "out").glob("*.png"))
print(report.converted, "images, such as", name.name, read_image(name).shape)
