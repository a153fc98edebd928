"""The machine a verb runs on: seeds, precision and devices, set before the first tensor."""

import logging
import warnings

from keras_dtl.cli.command import stop_at_once


def start_session(
    seed: int = 0, mixed_precision: str = "off", jit: str = "off", onednn: bool = False
) -> str:
    """Import TensorFlow quietly and make it reproducible.

    Memory of GPUs is taken as needed. Operations are deterministic, so that the same seed gives
    the same weights on the same machine, and a resumed training those of an uninterrupted one.

    Args:
        seed: For Python, NumPy and TensorFlow.
        mixed_precision: "off", "float16" or "bfloat16".
        jit: "off", or "on": operations are not held to be deterministic then, as Keras does not
            compile with XLA where they are.
        onednn: See `keras_dtl.cli.quiet.import_tensorflow`.

    Returns:
        A line that says what will be computed on.
    """
    from keras_dtl.cli.quiet import import_tensorflow

    import_tensorflow(onednn)
    with stop_at_once():
        import keras
        import tensorflow as tf

        import keras_dtl.layers
        import keras_dtl.methods  # noqa: F401 (registers what saved models name)
        from keras_dtl.cli.repeatable import repeat_steps

    logging.getLogger("tensorflow").setLevel(logging.ERROR)
    # Keras says so of every tf.data set; ours are shuffled.
    warnings.filterwarnings("ignore", message=".*shuffle=True.*was passed.*")
    gpus = tf.config.list_physical_devices("GPU")
    for gpu in gpus:
        tf.config.experimental.set_memory_growth(gpu, True)
    keras.utils.set_random_seed(seed)
    if jit == "off":
        repeat_steps()
    keras.config.set_dtype_policy(
        "float32" if mixed_precision == "off" else f"mixed_{mixed_precision}"
    )
    device = f"{len(gpus)} GPU" if gpus else "CPU (TensorFlow sees no GPU)"
    return f"TensorFlow {tf.__version__}, Keras {keras.__version__}, {device}"
