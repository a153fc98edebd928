"""What a conversion must hold out: many images, huge ones, and being killed at any moment.

Sections of conversion.py, which runs them and writes what they measured.
"""

import os
import resource
import shutil
import time
from pathlib import Path

import conversion_inputs as inputs

import keras_dtl
from keras_dtl.convert import Options, convert_folder
from keras_dtl.convert.tiles import tiling
from keras_dtl.convert.tiles.tiling import Tiler
from keras_dtl.images import read_image


def memory(folder, rounds):
    """Resident size after 500 and after 10,000 photos of sizes that hardly repeat."""
    artifact = inputs.make_once(folder / "small_generator", inputs.generator, 4, 1)
    files = inputs.make_once(folder / "many_sizes", inputs.photos_of_many_sizes, 10_000)
    if not rounds:
        shutil.rmtree(folder / "out", ignore_errors=True)
        yield inputs.call_apart(_resident_sizes, artifact, files, folder / "out")


def _resident_sizes(path, files, out):
    sizes = {}

    def note(done, total):
        if done in (500, 2500, 5000, 7500, total):
            sizes[done] = resident_megabytes()

    artifact = keras_dtl.load_artifact(path, "cpu")
    report = convert_folder(artifact, files, out, progress=note, gallery=0, format="jpg")
    return {"megabytes_after": sizes, "converted": report.converted}


def resident_megabytes():
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def memory_summary(rounds):
    sizes = rounds[0]["megabytes_after"]
    growth = sizes.get("10000", sizes.get(10_000)) / sizes.get("500", sizes.get(500)) - 1
    return {"growth_from_500_to_10000": growth, "allowed": 0.05}


def large_image(folder, rounds):
    """An image of 100 megapixels through tiles: the most memory that is resident."""
    model = inputs.make_once(folder / "tiled_generator", inputs.generator, 16, 1)
    image = inputs.make_once(
        folder / "large" / "large.png", inputs.write_large_photo, (10_000, 10_000)
    )
    if not rounds:
        yield inputs.call_apart(_convert_large, model, image, folder / "out_large")


def _convert_large(path, image, out):
    shutil.rmtree(out, ignore_errors=True)
    artifact = keras_dtl.load_artifact(path, "cpu")
    report = convert_folder(artifact, image, out, gallery=0, format="jpg")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9
    return {"converted": report.converted, "seconds": report.seconds, "peak_gigabytes": peak}


def large_image_summary(rounds):
    return {"peak_gigabytes": rounds[0]["peak_gigabytes"], "allowed_gigabytes": 4}


def tiles(folder, rounds):
    """Images of 1.4 megapixels in tiles beside whole ones, without and with global statistics."""
    models = {
        "without_statistics": inputs.make_once(
            *(folder / "batch_generator", inputs.generator, 16, 9), None, "batch"
        ),
        "with_statistics": inputs.make_once(folder / "narrow_generator", inputs.generator, 16, 9),
    }
    if not rounds:
        found = {name: inputs.call_apart(_compare_tiles, path) for name, path in models.items()}
        part = inputs.call_apart(_compare_tiles, models["with_statistics"], 4)
        yield found | {"with_statistics_of_tiles": part}


def _compare_tiles(path, shrunk=1):
    """Compare both, where but so many times fewer pixels fit at once."""
    artifact = keras_dtl.load_artifact(path, "cpu")
    if shrunk > 1:
        memory = 960 * 1440 * artifact.manifest.tiling["bytes_per_pixel"] / shrunk
        tiling._MOST_MEMORY = tiling._WHOLE = memory
    found = []
    for file in inputs.photos(3):
        image = inputs.enlarge(read_image(file), (960, 1440))[None]
        whole, tiled = (Tiler(artifact, Options(tile=side))(image) for side in (0, 512))
        whole, tiled = (next(iter(output.values())).astype(float) for output in (whole, tiled))
        found.append((float(abs(whole - tiled).max()), inputs.psnr(whole, tiled)))
    return {"largest_difference": max(d for d, _ in found), "psnr_least": min(p for _, p in found)}


def tiles_summary(rounds):
    return {
        "largest_difference": rounds[0]["without_statistics"]["largest_difference"],
        "allowed_difference": 2,
        "psnr_with_statistics": rounds[0]["with_statistics"]["psnr_least"],
        "psnr_with_statistics_of_tiles": rounds[0]["with_statistics_of_tiles"]["psnr_least"],
        "wanted_psnr": 35,
    }


def kill(folder, rounds):
    """Conversions of 40 photos killed at random moments, and the run after each."""
    artifact = inputs.make_once(folder / "small_generator", inputs.generator, 4, 1)
    source, out = folder / "forty", folder / "out_kill"
    inputs.make_once(source, inputs.copy_photos, 40)
    expected = inputs.make_once(
        folder / "expected", inputs.undisturbed_conversion, artifact, source
    )
    random = inputs.np.random.default_rng(len(rounds))
    for place in range(len(rounds), 30):
        shutil.rmtree(out, ignore_errors=True)
        process = inputs.convert_command(artifact, source, out)
        # Every third while it starts, the others once some images are there.
        wanted = 0 if place % 3 == 0 else int(random.integers(1, 38))
        while len(list(out.glob("*.png"))) < wanted and process.poll() is None:
            time.sleep(0.002)
        time.sleep(float(random.uniform(0, 0.05 if wanted else 4)))
        process.kill()
        process.wait()
        yield _after_kill(artifact, source, out, expected)


def _after_kill(artifact, source, out, expected):
    """Return what a killed run left and what the next one made of it."""
    left = sorted(out.rglob("*.png"))
    broken = [file.name for file in left if not _is_same(file, expected)]
    report = convert_folder(keras_dtl.load_artifact(artifact, "cpu"), source, out, gallery=0)
    made = sorted(out.rglob("*.png"))
    return {
        "left_whole": len(left) - len(broken),
        "left_broken": len(broken),
        "converted_after": report.converted,
        "skipped_after": report.skipped,
        "right": not broken
        and (report.converted, report.skipped) == (40 - len(left), len(left))
        and len(made) == 40
        and all(_is_same(file, expected) for file in made),
    }


def _is_same(file, expected):
    return file.read_bytes() == (expected / file.name).read_bytes()


def kill_summary(rounds):
    between = sum(0 < one["left_whole"] < 40 for one in rounds)
    return {
        "killed": len(rounds),
        "killed_between_images": between,
        "right": sum(one["right"] for one in rounds),
    }
