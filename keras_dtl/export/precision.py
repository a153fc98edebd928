"""Graphs of other precisions beside the float32 one, with what they lose measured."""

import dataclasses
import tempfile
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from onnxruntime.quantization import (
    CalibrationDataReader,
    CalibrationMethod,
    QuantFormat,
    QuantType,
    quantize_static,
)
from onnxruntime.quantization.shape_inference import quant_pre_process
from onnxruntime.transformers.float16 import convert_float_to_float16

from keras_dtl.export.errors import ExportError
from keras_dtl.images import find_images, read_image, resize_image

PRECISIONS = ("float32", "float16", "int8")
# What a precision may lose, see `Quality`.
LEAST_PSNR = 32.0
LEAST_AGREEMENT = 0.995
_QUANTIZED = ("Conv", "ConvTranspose", "Gemm", "MatMul")
_HELD_OUT = 0.25  # of the images, to measure on


@dataclasses.dataclass(frozen=True)
class Samples:
    """Images of the user, as the model takes them.

    Args:
        calibration: List of batches of one image, to set ranges by.
        held_out: List of batches of one image, to measure on.
    """

    calibration: list
    held_out: list


def read_samples(folder, preprocessing, number=64, largest=256):
    """Read images to calibrate on and, others, to measure on.

    Args:
        folder: Of images, searched with its sub-folders.
        preprocessing: Of the manifest.
        number: How many are read, spread over the folder.
        largest: Larger images of models that take any size are cut to this side.

    Raises:
        ExportError: There are fewer than 4.
    """
    paths = find_images(folder)
    paths = paths[:: max(1, len(paths) // number)][:number]
    if len(paths) < 4:
        raise ExportError(
            f"{folder} holds {len(paths)} images; at least 4, better 64, of the kind that the "
            "model will see are needed to calibrate and to measure what is lost."
        )
    images = [_sample(path, preprocessing, largest) for path in paths]
    step = round(1 / _HELD_OUT)
    return Samples(
        calibration=[image for index, image in enumerate(images) if index % step],
        held_out=images[::step],
    )


def _sample(path, preprocessing, largest):
    image = read_image(path, preprocessing.channels)
    if preprocessing.resize is not None:
        return resize_image(image, preprocessing.resize)[None]
    multiple = preprocessing.size_multiple
    height, width = (max(multiple, min(n, largest) // multiple * multiple) for n in image.shape[:2])
    top, left = (max(0, (n - m) // 2) for n, m in zip(image.shape, (height, width), strict=False))
    cut = image[top : top + height, left : left + width]
    return (cut if cut.shape[:2] == (height, width) else resize_image(cut, (height, width)))[None]


def write_precision(folder, manifest, precision, samples, least=None):
    """Write one more graph and return its entry in the manifest's `precisions`.

    Args:
        folder: The artifact, not yet published.
        manifest: Its `Manifest`.
        precision: `"float16"` or `"int8"`.
        samples: `Samples`.
        least: The lowest quality to accept: PSNR in decibel where the output is an image, else
            the share of equal classes. Layers that hurt stay in float until it is reached.

    Raises:
        ExportError: The quality cannot be reached, or the model cannot be measured.
    """
    quality = Quality(manifest, folder / manifest.onnx_file, samples, least)
    name = f"{manifest.version}/model.{precision}.onnx"
    with tempfile.TemporaryDirectory() as temporary:
        make = {"float16": _write_half, "int8": _write_int8}[precision]
        kept = make(folder / manifest.onnx_file, folder / name, samples, quality, Path(temporary))
    measured = quality.measure(folder / name)
    if not measured[quality.name] >= quality.least:
        raise ExportError(
            f"{precision} reaches {quality.name} {measured[quality.name]:.4g}; {quality.least:g} "
            "was asked for. Nothing was published. Ask for less, calibrate on more images, or "
            "leave this precision out."
        )
    return {
        "file": name,
        "quality": measured | {"images": len(samples.held_out), "least": quality.least},
        "in_float": kept,
    }


class Quality:
    """How near a graph comes to the float32 one, on images that nothing was calibrated on.

    Generators are compared by PSNR, classifiers by the share of equal classes, and models that
    name a class for each pixel by the mean intersection over union with the float32 result.
    """

    def __init__(self, manifest, file, samples, least=None):
        output = manifest.outputs[0]
        self.images = samples.held_out
        self.input = manifest.inputs[0].name
        self.kind = "image" if output.is_image else "pixels" if len(output.shape) == 4 else "class"
        self.name = {"image": "psnr", "pixels": "mean_iou", "class": "agreement"}[self.kind]
        usual = LEAST_PSNR if self.kind == "image" else LEAST_AGREEMENT
        self.least = usual if least is None else least
        self.expected = self._outputs(file)

    def _outputs(self, file):
        session = onnxruntime.InferenceSession(file, providers=["CPUExecutionProvider"])
        return [session.run(None, {self.input: image})[0] for image in self.images]

    def measure(self, file):
        """Return a dictionary of numbers; that called `self.name` counts."""
        pairs = list(zip(self.expected, self._outputs(file), strict=True))
        if self.kind == "image":
            values = [psnr(*pair) for pair in pairs]
            return {
                "psnr": float(np.mean(values)),
                "psnr_worst": float(np.min(values)),
                "ssim": float(np.mean([ssim(*pair) for pair in pairs])),
            }
        labels = [tuple(array.argmax(-1) for array in pair) for pair in pairs]
        agreement = float(np.mean([np.mean(one == other) for one, other in labels]))
        if self.kind == "pixels":
            return {"mean_iou": _mean_iou(labels), "agreement": agreement}
        differences = [np.abs(one - other).max() for one, other in pairs]
        return {"agreement": agreement, "largest_difference": float(np.max(differences))}


def psnr(one, other):
    """Return the peak signal-to-noise ratio of two uint8 images in decibel, at most 99."""
    error = np.mean((one.astype(np.float64) - other) ** 2)
    return 99.0 if error == 0 else min(99.0, float(10 * np.log10(255**2 / error)))


def ssim(one, other):
    """Return the structural similarity of two batches of one uint8 image."""
    from skimage.metrics import structural_similarity

    side = min(7, *one.shape[1:3])
    side -= 1 - side % 2
    return structural_similarity(one[0], other[0], channel_axis=-1, win_size=side)


def _mean_iou(labels):
    classes = np.unique(np.concatenate([one.ravel() for one, _ in labels]))
    shares = []
    for name in classes:
        both = sum(np.sum((one == name) & (other == name)) for one, other in labels)
        either = sum(np.sum((one == name) | (other == name)) for one, other in labels)
        shares.append(both / either)
    return float(np.mean(shares))


def _write_half(source, target, samples, quality, temporary):
    model = onnx.load(source)
    # Sums over a whole image exceed what 16 bits hold.
    kept = ["InstanceNormalization", "ReduceMean", "GlobalAveragePool", "Softmax", "Resize"]
    half = convert_float_to_float16(
        model, keep_io_types=True, op_block_list=kept, disable_shape_infer=False
    )
    del half.graph.value_info[:]
    onnx.save_model(half, target)
    return kept


class _Reader(CalibrationDataReader):
    def __init__(self, name, images):
        self.batches = iter([{name: image} for image in images])

    def get_next(self):
        return next(self.batches, None)


def _write_int8(source, target, samples, quality, temporary):
    """Quantise, and keep in float what hurts most until the quality is reached."""
    prepared = temporary / "prepared.onnx"
    quant_pre_process(source, prepared, skip_symbolic_shape=True)
    layers = [n.name for n in onnx.load(prepared).graph.node if n.op_type in _QUANTIZED]

    def quantize(excluded, path, images=samples.calibration):
        quantize_static(
            prepared,
            path,
            _Reader(quality.input, images),
            quant_format=QuantFormat.QDQ,
            op_types_to_quantize=list(_QUANTIZED),
            per_channel=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            nodes_to_exclude=excluded,
            calibrate_method=CalibrationMethod.MinMax,
        )
        return quality.measure(path)[quality.name]

    kept = []
    if quantize(kept, target) >= quality.least:
        return kept
    for name in _most_harmful(layers, quantize, samples.calibration[:8], temporary):
        kept.append(name)
        if quantize(kept, target) >= quality.least:
            break
    return kept


def _most_harmful(layers, quantize, images, temporary):
    """Return the layers by how much they hurt when they alone are quantised, worst first.

    A few images tell the order; ranges for what is published come from all of them.
    """
    path = temporary / "alone.onnx"
    alone = {name: quantize([n for n in layers if n != name], path, images) for name in layers}
    return sorted(layers, key=alone.get)
