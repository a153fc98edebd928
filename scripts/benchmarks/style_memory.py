"""Peak memory of style transfer at 2048 x 1536 pixels, in tiles.

    python scripts/benchmarks/style_memory.py --content a.jpg --style b.jpg --weights FILE

L-BFGS with its history of 10, in a process of its own. Memory is that of the whole process, with
TensorFlow. An iteration or two reach the peak but for the history, of which each adds two images in
float64; what is missing of it is added. Writes results/style_memory.json.
"""

import argparse
import resource
import time
from pathlib import Path

from record import write_result

LONGER_SIDE = 2048
HISTORY = 10


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for path in ("content", "style", "weights"):
        parser.add_argument(f"--{path}", type=Path, required=True)
    parser.add_argument("--iterations", type=int, default=2)
    arguments = parser.parse_args()

    from keras_dtl.backbones import vgg19_features
    from keras_dtl.images import read_image
    from keras_dtl.methods import StyleTransfer

    evaluations = []
    model = StyleTransfer(vgg19_features(weights=arguments.weights), loss_scale="johnson")
    start = time.perf_counter()
    image = model.stylize(
        read_image(arguments.content),
        [read_image(arguments.style)],
        sizes=(LONGER_SIDE,),
        iterations=arguments.iterations,
        callback=lambda step: evaluations.append(step.evaluations),
    )
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    missing = max(0, HISTORY - arguments.iterations) * 2 * 8 * image.size / 2**30
    write_result(
        "style_memory",
        {
            "what": "peak resident memory of a style transfer in tiles",
            "settings": {
                "height_width": image.shape[:2],
                "optimizer": "lbfgs",
                "history": HISTORY,
                "iterations": arguments.iterations,
            },
            "evaluations": evaluations[-1],
            "seconds": round(time.perf_counter() - start, 1),
            "measured_peak_gib": round(peak, 2),
            "peak_gib": round(peak + missing, 2),
        },
    )


if __name__ == "__main__":
    main()
