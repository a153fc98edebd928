# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
# ---

# %% [markdown]
# # The style of a picture in one pass
#
# So that nothing is downloaded, VGG19 has random weights here: they see colours and strokes, not
# things. Leave `weights=None` out for the trained ones. About a minute on two cores.

# %%
import tempfile
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
from sklearn.datasets import load_sample_images

from keras_dtl import FastStyle, backbones, convert_folder, export_model, load_artifact
from keras_dtl.images import read_image, write_image

keras.utils.set_random_seed(0)

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
photos = parts(64, 40)

# %% [markdown]
# Stripes of two colours are the style.

# %%
wave = np.sin(np.arange(64)[:, None] / 2 + np.arange(64) / 5)[..., None] > 0
style = np.where(wave, [20, 40, 120], [240, 200, 60]).astype("uint8")
layers = ("conv1_2", "conv2_2", "conv3_3", "conv4_3")
model = FastStyle(
    backbones.transformer_net(filters=8), backbones.vgg19_features(layers, weights=None)
)
model.learn_styles([style])
model.compile(keras.optimizers.Adam(1e-3))
shuffled = tf.data.Dataset.from_tensor_slices(photos).shuffle(len(photos), seed=0)
batches = shuffled.repeat().batch(8)
logs = model.fit(batches, epochs=3, steps_per_epoch=15, verbose=0).history
print({name: [round(value, 3) for value in values] for name, values in logs.items()})

# %%
export_model(model, folder / "stripes")
for index, photo in enumerate(load_sample_images().images):
    write_image(folder / "photos" / f"{index}.png", photo[:200, :300])
report = convert_folder(load_artifact(folder / "stripes"), folder / "photos", folder / "out")
print(report.converted, "images of", read_image(folder / "out" / "0.png").shape)
