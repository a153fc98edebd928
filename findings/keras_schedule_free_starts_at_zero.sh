#!/usr/bin/env bash
# Keras 3.15.1 with TensorFlow 2.21.0: ScheduleFreeAdamW under `fit` begins from weights of 0.
#
# Its `build` copies the weights into the sequence that it averages. `fit` builds the optimizer while
# it traces the step, where that copy is lost: the sequence begins at 0, and the first steps draw all
# weights there. Seen: a weight of 5 is -0.001 after a step of rate 0.001, and 4.999 where the
# optimizer was built before `fit`, or with run_eagerly=True.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet "tensorflow==2.21.0" "keras==3.15.1" "numpy==2.3.4"
TF_CPP_MIN_LOG_LEVEL=3 CUDA_VISIBLE_DEVICES=-1 "$folder/venv/bin/python" - <<'PY'
import keras
import numpy as np
import tensorflow as tf

print("TensorFlow", tf.__version__, "Keras", keras.__version__)


def weight_after_a_step(built=False, eagerly=False):
    layer = keras.layers.Dense(1, use_bias=False, kernel_initializer=keras.initializers.Constant(5))
    model = keras.Sequential([keras.Input((1,)), layer])
    optimizer = keras.optimizers.ScheduleFreeAdamW(0.001)
    if built:
        optimizer.build(model.trainable_variables)
    model.compile(optimizer, "mse", run_eagerly=eagerly)
    model.fit(np.ones((1, 1)), np.ones((1, 1)), verbose=0)
    return float(layer.kernel.numpy()[0, 0])


found = {
    "fit": weight_after_a_step(),
    "built before": weight_after_a_step(built=True),
    "eagerly": weight_after_a_step(eagerly=True),
}
for name, weight in found.items():
    print(f"{name}: {weight:.3f}, about 5 by definition")
assert abs(found["built before"] - 5) < 0.01, found
assert abs(found["fit"] - 5) > 1, found
PY
