# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
# ---

# %% [markdown]
# # Convert a folder of images
#
# Any Keras model from uint8 images on becomes an artifact that runs over folders. Half a minute.

# %%
import csv
import tempfile
from pathlib import Path

import keras

from keras_dtl import convert_folder, export_model, load, load_artifact
from keras_dtl.images import write_image

keras.utils.set_random_seed(0)
train, test = load("digits"), load("digits", "test")
images, labels = train.arrays()
test_images, test_labels = test.arrays()

# %% [markdown]
# Scaling belongs into the model: then no client can forget it.

# %%
inputs = keras.Input(train.image_shape, dtype="uint8")
x = keras.layers.Rescaling(1 / 255)(inputs)
x = keras.layers.Conv2D(16, 5, activation="relu")(x)
x = keras.layers.Flatten()(keras.layers.MaxPooling2D(3)(x))
model = keras.Model(inputs, keras.layers.Dense(10, activation="softmax")(x))
model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
model.fit(images, labels, epochs=5, verbose=0)

# %%
folder = Path(tempfile.mkdtemp())
export_model(model, folder / "digits", task="classification", classes=train.classes)
for index in range(40):
    write_image(folder / "photos" / f"{index:02}.png", test_images[index])

# %% [markdown]
# From here on no TensorFlow is needed: `keras-dtl convert digits photos out` does the same.

# %%
report = convert_folder(load_artifact(folder / "digits"), folder / "photos", folder / "out")
with open(folder / "out" / "predictions.csv", newline="", encoding="utf-8") as file:
    rows = list(csv.DictReader(file))
right = sum(
    row["class"] == train.classes[label] for row, label in zip(rows, test_labels, strict=False)
)
print(f"{report.converted} files, {right} of them right")
print(sorted(path.name for path in (folder / "out").iterdir()))
