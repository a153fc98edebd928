#!/usr/bin/env bash
# Keras 3.15.1 with TensorFlow 2.21.0 under tf.distribute: an optimizer's global_clipnorm, clipnorm
# and clipvalue act on what each replica found, before it is summed.
#
# A custom train_step divides its loss by the number of replicas, and the optimizer sums their
# gradients. The sum of the clipped parts is another vector than the clipped sum. Seen, without a
# warning: one device and a batch whose gradient is (4, 0) steps by (1, 0), global_clipnorm being 1;
# two replicas with half of the same batch each step by (2, 0), twice as far as the norm allows. So
# does clipnorm; clipvalue=1 likewise gives 2. Without clipping both step by (4, 0). A training with
# clipping thus changes with the number of devices, at the same global batch.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet "tensorflow==2.21.0" "keras==3.15.1" "numpy==2.3.4"
TF_CPP_MIN_LOG_LEVEL=3 CUDA_VISIBLE_DEVICES=-1 "$folder/venv/bin/python" - <<'PY'
import keras
import numpy as np
import tensorflow as tf

print("Keras", keras.__version__, "TensorFlow", tf.__version__)
processor = tf.config.list_physical_devices("CPU")[0]
parts = [tf.config.LogicalDeviceConfiguration()] * 2
tf.config.set_logical_device_configuration(processor, parts)
strategies = {1: tf.distribute.get_strategy(), 2: tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])}
batch = np.full((4, 2), [4.0, 0.0], "float32")


def step(replicas, **clipping):
    """Return how far one step of SGD, at rate 1, moves a weight whose gradient is (4, 0)."""
    strategy = strategies[replicas]
    with strategy.scope():
        weight = keras.Variable(np.zeros(2, "float32"))
        optimizer = keras.optimizers.SGD(1.0, **clipping)
        optimizer.build([weight])
    rows = len(batch) // replicas

    def learn():
        replica = tf.distribute.get_replica_context().replica_id_in_sync_group
        part = tf.constant(batch)[replica * rows : (replica + 1) * rows]
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(tf.linalg.matvec(part, weight.value)) / replicas
        optimizer.apply(tape.gradient(loss, [weight.value]), [weight])

    tf.function(lambda: strategy.run(learn), autograph=False)()
    return -weight.numpy()


for clipping in ({}, {"global_clipnorm": 1.0}, {"clipnorm": 1.0}, {"clipvalue": 1.0}):
    one, two = step(1, **clipping), step(2, **clipping)
    print(clipping or "not clipped", "one device", one, "two replicas", two)
    expected = (1.0, 2.0) if clipping else (4.0, 4.0)
    np.testing.assert_allclose((one[0], two[0]), expected, rtol=1e-6)
PY
