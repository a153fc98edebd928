"""What the numbers in scores.json and in reports mean: words and units, by name."""

MEANINGS = {
    # classification
    "accuracy": "share of examples whose class was found, 0 to 1; more is better",
    "mean_class_accuracy": "mean of the classes' accuracies, 0 to 1; more is better",
    "per_class_accuracy": "share of the examples of this class that were found, 0 to 1",
    "count": "number of examples scored",
    "classes": "names, in the order of the numbers",
    "confusion": "examples, or pixels, by true class (row) and predicted class (column)",
    # segmentation
    "mean_iou": "mean over classes of their IoU, 0 to 1; more is better",
    "iou": "pixels that are of the class and found, of those that are or are found, 0 to 1",
    "guessing": "of the commonest class of the learnt masks, everywhere",
    "pixel_accuracy": "share of pixels whose class was found, 0 to 1; more is better",
    # translation
    "absolute_error": "mean difference from the true image, levels of 0 to 255; less is better",
    "structural_similarity": "SSIM with the true image, -1 to 1; more is better",
    "perceptual_distance": "distance of features from the true image's; less is better",
    "cycle_error": "how far an image comes back from itself, levels of 0 to 255",
    "identity_error": "how much a generator moves images of its own output's domain, in levels",
    "brightness_correlation": "of translated with reference images, -1 (negatives) to 1",
    "fid": "Fréchet distance of features from real images', no unit; less is better",
    "kid": "kernel distance of features from real images', no unit; less is better",
    "test_images": "number of images scored",
    # style
    "content_loss": "distance of the features from the photo's, relative",
    "style_loss": "distance of the Gram matrices from the style's, relative",
    "style_left": "share of the photo's own distance to the style that is left; less is better",
    # content and style
    "judge": "share of real images that the judge of all others finds the class of",
    "share": "share of images judged to be of the wanted class, 0 to 1",
    "interval": "95 % interval of the share",
    "class_from": "accuracy of a classifier of this code: of content high, of style near chance",
    "linear": "by a linear classifier, 0 to 1",
    "mlp": "by a small network, 0 to 1",
    "swap_accuracy": "share of exchanged images that still show the class of their content",
    "prior_accuracy": "the same in styles that were drawn",
    "style_kept": "how much of the style an exchange keeps",
    "code": "R² of the style code that is found again, at most 1; 0: no better than its mean",
    "slant": "correlation of the slant of strokes, -1 to 1",
    "thickness": "correlation of the thickness of strokes, -1 to 1",
    "diversity": "differences between drawn styles as a share of those between real images",
    "features": "in the judge's features",
    "pixels": "in pixels",
    "retrieval": "share of nearest neighbours, by this code, that are of the same class",
    "s": "by the content",
    "z_mean": "by the style's mean",
    "z_sample": "by a drawn style",
    "content_ignored": "errors of rebuilt images: with another's content it must be larger",
    "error": "mean absolute difference from the true image, levels of 0 to 255",
    "error_with_other_content": "the same with another image's content; larger is better",
    # views
    "agreement": "share of pairs in which both are judged to show one thing, 0 to 1",
    "ceiling": "the same of real pairs: what can be reached",
    "view_diversity": "differences between views as a share of those between real ones",
    "view_diversity_of_pixels": "the same in pixels",
    "class_entropy": "1 where all classes are drawn alike, 0 where all is one",
    "frechet_distance": "of features from real ones', no unit; less is better",
    "frechet_distance_of_real": "the same between two halves of the real ones: what can be reached",
    "frechet_distance_real": "the same of held-out real motion: what can be reached",
    "identity": "share of new views judged to show what the image shows, 0 to 1",
    "identity_of_held_out": "the same of things never trained on",
    "copied_view": "how near a copied view comes to the true one",
    "error_of_unchanged": "of the image as it was: what must be beaten",
    # motion
    "number": "number of windows scored",
    "style_accuracy": "share judged to be of the wanted style, 0 to 1; more is better",
    "action_accuracy": "share judged to be of the wanted action, 0 to 1; more is better",
    "style_ceiling": "the same of real motion: what can be reached",
    "action_ceiling": "the same of real motion: what can be reached",
    "style_of_ceiling": "accuracy as a share of what real motion reaches",
    "action_of_ceiling": "accuracy as a share of what real motion reaches",
    "style_unchanged": "share of the contents that are of the wanted style as they are",
    "action_unchanged": "share of the contents that are of the wanted action as they are",
    "style_differs": "share of pairs judged to be of two styles",
    "style_differs_real": "the same of real pairs",
    "action_entropy": "1 where all actions are drawn alike, 0 where all is one",
    "nearest_distance": "to the nearest training window, mean; near 0 is a copy",
    "nearest_distance_real": "the same of held-out real motion",
    "diversity_ratio": "differences between windows as a share of those between real ones",
    "velocity": "speed beside that of real motion",
    "mean_ratio": "mean speed as a share of that of real motion; 1 is right",
    "deviation_ratio": "deviation of the speed as a share of that of real motion; 1 is right",
    "by_style": "mean speed in this style as a share of that of real motion",
    "jerk_ratio": "jerk as a share of that of real motion; 1 is right",
    "foot_skate_ratio": "sliding of feet as a share of that of real motion; 1 is right",
    "physics": "as measured, of made and of real motion",
    "made": "of made motion",
    "real": "of real motion",
    "speed": "mean speed of joints, units of the files a second",
    "jerk": "mean third derivative of positions, units of the files a second cubed",
    "foot_skate": "speed of feet while they are down, units of the files a second",
    "bone_deviation": "largest change of a bone's length, as a share of it",
    "stiffness_error": "distance from a body with stiff joints, units of the files",
    "reconstruction_error": "error of what comes back, in deviations of real motion; 0 is perfect",
    "codes": "of the codes; a mean of 0 and a deviation of 1 are wanted",
    "mean": "mean of all numbers",
    "deviation": "deviation of all numbers",
    "samples": "of drawn motion",
    "transfers": "of transferred motion",
    "to_held_out_cells": "of transfers to an action in a style never seen together",
    "from_held_out_cells": "of transfers from an action in a style never seen together",
    "factors": "known only of the walker: factors that made the motion",
}
"""Words by the name of a number, or of what holds several."""


def meaning_of(name: str) -> str:
    """Return the words on a number; empty where none are known.

    Args:
        name: As a report shows it: names of what holds it and its own, with dots between. Of a
            class or a style the words are those of what holds it.
    """
    for part in reversed(name.split(".")):
        if part in MEANINGS:
            return MEANINGS[part]
    return ""
