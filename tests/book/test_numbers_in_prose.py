"""What pages say in words about recorded figures is what the files in book/data say in numbers.

Each claim names the page, a sentence of it, and how the files bear it out. In a sentence, {} stands
for what is calculated from the files, written as the page writes it: record anew, and a number that
no longer holds is found here. A claim without {} is a sentence that must be true.
"""

import json
import re
from functools import cache
from itertools import pairwise
from statistics import median

import numpy as np
import pytest

from convbook.kernels.blocks import BLOCK_BYTES
from convbook.training import class_ious
from convbook.widgets import VideoExplorer
from helpers import ROOT
from helpers.pages import listed_in_toc
from helpers.prose import texts

DATA = ROOT / "book" / "data"


@cache
def recorded(name):
    """Return a file of book/data."""
    return json.loads((DATA / f"{name}.json").read_text(encoding="utf-8"))


@cache
def said(page):
    """Return the text of a page with single blanks."""
    return re.sub(r"\s+", " ", " ".join(texts(page)))


# --- Short ways to what is recorded --------------------------------------------------------------


def blocks():
    return [block["milliseconds"] for block in recorded("convolution_timings")["batch"]["blocks"]]


def colouring(weight, *keys, part="weights"):
    """What the networks of chapter 3-9 reach with this λ, or "L1 alone", seed by seed."""
    runs = recorded("chapter_3_9")[part][weight]
    assert len(runs) == 3
    for key in keys:
        runs = [run[key] for run in runs]
    return runs


def by_epoch():
    """How often the judge agrees with the conditional GAN after each epoch, seed by seed."""
    return [run["by epoch"] for run in gan("conditional")]


def slower(key):
    """What λ = 8 reaches with a discriminator that learns a third as fast, seed by seed."""
    return colouring("8, D a third as fast", key, part="gallery")


def long_run(weight):
    """The network of chapter 3-9 with this λ that was trained for longer."""
    return recorded("chapter_3_9")["long"][weight][0]


def in_every_seed(*rows):
    """Whether numbers grow from row to row, in each of the three seeds."""
    return all(a < b for pair in pairwise(rows) for a, b in zip(*pair, strict=True))


def growth():
    one = recorded("convolution_timings")["one_matrix"]
    return one["loop_over_output_seconds"], one["loop_over_filter_seconds"]


def misread(name):
    runs = recorded("chapter_3_5_1")["variants"]["runs"]
    return 1 - median(runs[name]["test_accuracy"])


def variant(name, key):
    return recorded("chapter_3_5_1")["variants"]["runs"][name][key]


def gan(part):
    return recorded("chapter_3_9_1")[part]["runs"]


def gan_distances(name, turn=100):
    return [run["distance"][run["step"].index(turn)] for run in gan("losses")[name]]


def gan_agreements(name):
    return [run["agreement"] for run in gan("changes")[name]]


def gan_pairs(name, key):
    """Return a number with a change and the same without it, for each seed."""
    runs = zip(gan("changes")[name], gan("changes")["all as here"], strict=True)
    return [(changed[key], before[key]) for changed, before in runs]


def gan_digits_lost(name):
    """Return by how many of 500 digits the judge agrees less often than before, sorted."""
    return sorted(round(500 * (b - a)) for a, b in gan_pairs(name, "agreement"))


def gan_ratio(name, key):
    """Return a change's median, divided by that without it."""
    changed, before = zip(*gan_pairs(name, key))
    return median(changed) / median(before)


def gan_change(name):
    """Return in how many of three seeds the judge agrees less often and more often than before."""
    pairs = gan_pairs(name, "agreement")
    return sum(a < b for a, b in pairs), sum(a > b for a, b in pairs)


def per_digit(size):
    batches = recorded("chapter_3_5_1")["times"]["batches"]
    return next(b["seconds_per_digit"] for b in batches if b["batch_size"] == size)


def settings():
    return {(t["lr"], t["weight_decay"]): t for t in recorded("digits")["settings"]["tried"]}


def cpu_steps():
    steps = recorded("gpu")["cpu"]["steps"]["digit_cnn"]
    return dict(zip(steps["batch"], steps["seconds"], strict=True))


def training_rate():
    """Multiplications per second in a training step of chapter 3-5-1, forward and backward."""
    layers = recorded("chapter_3_5_1")["times"]["layers"]
    seconds = sum(row["forward"] + row["backward"] for row in layers["rows"])
    return 3 * layers["batch_size"] * sum(r["multiplications"] for r in layers["rows"]) / seconds


def curve(name, key):
    runs = recorded("chapter_3_6")["curves"]["runs"][name]["seeds"]
    values = [run[key] for run in runs]
    return median(v[-1] if isinstance(v, list) else v for v in values)


def feeding(name):
    return recorded("chapter_3_6")["feeding"]["seconds_per_image"][name]


def layers_of_an_image():
    return sum(feeding(name) for name in ("convolution", "pooling", "other layers"))


def hearts(name, key="dice", part="few"):
    """The median of a part of chapter 3-8 over its seeds."""
    return median(run[key] for run in recorded("chapter_3_8")[part][name])


@cache
def film(least):
    """Return the figure with the film of the page, from a score on."""
    return VideoExplorer(recorded("street_film"), least=least)


def seen_in_film(least, number):
    """Return the frames in which the track of this number is seen."""
    return [frame for frame, _ in film(least).tracks[number].path]


def regions(roi="align"):
    """What is recorded of the Mask R-CNNs of chapter 3-10, seed by seed."""
    return recorded("chapter_3_10")["regions"][roi]


def gained(name):
    """What RoIAlign gains over RoI max pooling in chapter 3-10, seed by seed."""
    return [a[name] - b[name] for a, b in zip(regions(), regions("max"), strict=True)]


def masks_help(name):
    """What the branch for masks gives the boxes in chapter 3-10, seed by seed."""
    without = recorded("chapter_3_10")["without masks"]
    return [a[name] - b[name] for a, b in zip(regions(), without, strict=True)]


def crossings_counted(runs):
    """Which share of the crossings in all films is counted, seed by seed."""
    return [
        sum(sum(film["crossed"]) for film in run["films"])
        / sum(sum(film["crossed in truth"]) for film in run["films"])
        for run in runs
    ]


def switches(run):
    """How many numbers change in all films, with one network of chapter 3-10."""
    return sum(len(film["switches"]) for film in run["films"])


def skips(name, key):
    """What the U-Net of chapter 3-8 reaches with or without skips, seed by seed."""
    return [run[key] for run in recorded("chapter_3_8")["skips"][name]]


def gain_by_skips(key):
    return median(a - b for a, b in zip(skips("with", key), skips("without", key)))


def real_hearts(key):
    """The median of a figure over the trainings on real hearts."""
    return median(run[key] for run in recorded("heart")["runs"])


def in_turn(key):
    """A figure of all patients, or of all their pictures, each tested once."""
    return np.concatenate([run[key] for run in recorded("heart")["folds"]])


def missed_in_turn():
    return np.abs(in_turn("fractions") - in_turn("true_fractions"))


def marked(way):
    """Dice where hearts fill a hundredth of the picture, seed by seed."""
    return [run["dice"] for run in recorded("chapter_3_8")["empty"][way]]


def too_good():
    """How much better the network of chapter 3-8 looks with the same patients in the test."""
    return hearts("the same patients", part="leak") - hearts("other patients", part="leak")


def place_of_heart(name):
    return median(run["places"][name] for run in recorded("heart")["runs"])


def way(name):
    return recorded("chapter_3_6")["feeding"]["ways"][name]["seconds"]


def few(mode, kind, key, number):
    """The median accuracy of a way to ten classes, with so many images of each."""
    few = recorded("transfer")["few"]
    return median(run for run in (r for r in few[mode][kind][few["numbers"].index(number)][key]))


def probe(kind, number):
    probes = recorded("transfer")["autoencoder"]
    return median(probes["accuracy"][kind][probes["numbers"].index(number)])


def one_shot(rival):
    """The median accuracies with one reference, for each choice of hidden classes."""
    return [median(split[0]) for split in recorded("transfer")["one_shot"]["accuracy"][rival]]


def seconds_of(kind):
    runs = recorded("transfer")["few"]["only few"][kind]
    return median(s for run in runs for s in run["seconds"])


def speed(part, row, side, setting="machine", key="seconds"):
    return recorded("speed")["environments"][setting][part][row][key][side]


def kept_against_usual():
    """How many times as long the training steps take with the memory kept."""
    steps = recorded("speed")["environments"]["machine"]["steps"].values()
    return [
        row["seconds"][side] / row["seconds_usual"][side]
        for row in steps
        for side in ("package", "torch")
    ]


def count(name, key="parameters"):
    return recorded("chapter_3_7_1")["counts"][name][key]


def of_linear_layers(name, key):
    return count(name, "of_linear_layers")[key] / count(name, key)


def faster(of=""):
    """How many times as fast the depthwise separable convolutions are, for each shape."""
    rows = recorded("chapter_3_7_1")["separable"]["rows"]
    return [row["seconds"][f"standard{of}"] / row["seconds"][f"separable{of}"] for row in rows]


def trained():
    """The accuracies of all runs of each small network, without "small" in its name."""
    runs = recorded("chapter_3_7_1")["trained"]["runs"]
    return {
        name.removeprefix("small "): [seed["accuracy"][-1] for seed in run["seeds"]]
        for name, run in runs.items()
    }


def by_accuracy():
    return sorted(trained(), key=lambda name: median(trained()[name]), reverse=True)


def pace(name):
    """Multiplications per second of training, those of the forward pass alone."""
    seeds = recorded("chapter_3_7_1")["trained"]["runs"][name]["seeds"]
    return count(name, "multiplications") / median(seed["seconds"][-1] for seed in seeds)


def deep(kind):
    """The accuracies on the training pictures, one for each seed."""
    runs = recorded("chapter_3_7")["depth"][kind]["runs"]
    return [run["unchanged"]["accuracy"] for run in runs]


def uneven(kind):
    """How many times as large the filters' gradient is in the first convolution as in the last."""
    runs = recorded("chapter_3_7")["start"][kind]
    return [run["weights"][0] / run["weights"][-1] for run in runs]


def last_signal(kind):
    return median(run["signal"][-1] for run in recorded("chapter_3_7")["start"][kind])


def left(runs):
    """What is left of the accuracy above guessing without a block: the middle one of all blocks."""
    return median(
        (accuracy - 0.1) / (run["test"]["accuracy"] - 0.1)
        for run in runs
        for accuracy in run["without"]
    )


def left_of(kind):
    return left(recorded("chapter_3_7")["depth"][kind]["runs"])


def surface(kind):
    rows = recorded("chapter_3_7")["surface"][kind]["loss"]
    return rows[len(rows) // 2][len(rows) // 2], max(map(max, rows))


def pace_of(side):
    network = recorded("chapter_3_7")["pace"]["networks"]["residual, 20 layers"]
    return network["seconds_per_epoch"][side]


def wide_accuracies():
    """The test accuracies of the wide network and of the deep one, for each seed."""
    rows = (
        recorded("chapter_3_7")["wide"]["depth 20, twice as wide"],
        recorded("chapter_3_7")["depth"]["residual-38"],
    )
    return [[run["test"]["accuracy"] for run in row["runs"]] for row in rows]


def restored(part, *keys):
    """The median over the seeds of something recorded for autoencoders."""
    found = recorded("chapter_3_8_1")[part]
    for key in keys:
        found = found[key]
    return median(found)


def left_out(digit, key="error", size=16):
    return restored("anomalies", "dense", str(size), str(digit), key)


def cleaned(way, level=0.4):
    at = recorded("chapter_3_8_1")["denoising"]["levels"].index(level)
    return median(row[at] for row in recorded("chapter_3_8_1")["denoising"][way]["psnr"])


def cleaners(way, key):
    return recorded("chapter_3_8_1")["denoising"][way][key]


def compared(kind, key):
    """What the two autoencoders with a code of 16 reach, seed by seed."""
    return recorded("chapter_3_8_1")["comparison"][kind][key]


def saved_by_bending():
    """By which share an autoencoder's error is below that of components, by the code's size."""
    part = recorded("chapter_3_8_1")["sizes"]
    rows = zip(part["sizes"], part["dense"], part["components"])
    return {size: 1 - median(errors) / linear for size, errors, linear in rows}


def checkerboard(way, key):
    return recorded("chapter_3_8_1")["checkerboard"][way][key]


def pattern_left(way):
    """How much of the pattern is left after one epoch."""
    before, after = (median(run[i] for run in checkerboard(way, "pattern")) for i in (0, 1))
    return after / before


def without_a_network(rival, digit):
    anomalies = recorded("chapter_3_8_1")["anomalies"]
    if rival == "components":
        return anomalies["components"]["16"][str(digit)]["error"]
    return anomalies[rival][digit]


def detectors(kind, *keys):
    """A figure of the detectors of chapter 3-10-1, seed by seed."""
    found = recorded("chapter_3_10_1")[kind]
    for key in keys:
        found = [run[key] for run in found]
    return found


def yolo_fell(term):
    """How many times as large a part of YOLO's loss was at first as in the end."""
    losses = recorded("chapter_3_10_1")["yolo"][0]["losses"][term]
    return losses[0] / losses[-1]


def regions_times():
    """How many times as long R-CNN takes as Fast R-CNN, by the number of regions."""
    rows = recorded("chapter_3_10_1")["times"]["by regions"]
    return {row["regions"]: row["R-CNN"] / row["Fast R-CNN"] for row in rows}


def scene_time(*names):
    times = recorded("chapter_3_10_1")["times"]["for a scene"]
    return sum(times[name] for name in names)


def people_fit(reading):
    """The median overlap of people's boxes with what moves in the video of chapter 3-10-1."""
    frames = recorded("chapter_3_10_1")["street"]["frames"]
    return median(value for frame in frames for value in frame["fit"][reading])


def mious(name, key="counts", part="networks"):
    """mIoU of a network of chapter 3-10-2, or with weights of one kind, seed by seed."""
    runs = recorded("chapter_3_10_2")[part][name]
    return [class_ious(np.array(run[key])).mean() for run in runs]


SEGMENTING = ("FCN without skips", "FCN", "SegNet", "U-Net")


def gain_by_scores(key="counts"):
    """What the skips of the FCN are worth, seed by seed."""
    return [a - b for a, b in zip(mious("FCN", key), mious("FCN without skips", key))]


def lost_when_larger(name):
    """How much mIoU a network loses on larger scenes."""
    return median(mious(name)) - median(mious(name, "large"))


def segmenting_seconds(name):
    return median(run["seconds"] for run in recorded("chapter_3_10_2")["networks"][name])


def ious_with(power):
    """The IoU of each class with class weights of one kind, seed by seed."""
    runs = recorded("chapter_3_10_2")["weights"][power]
    return [class_ious(np.array(run["counts"])) for run in runs]


def weighted(power):
    """Accuracy, and how often dogs are called for each of their pixels: medians over seeds."""
    counts = [np.array(run["counts"]) for run in recorded("chapter_3_10_2")["weights"][power]]
    return (
        median(np.trace(c) / c.sum() for c in counts),
        median(c[:, 4].sum() / c[4].sum() for c in counts),
    )


DECODERS = ("filter 3, stride 2", "filter 4, stride 2", "upsample, then convolve")
CLEANERS = ("dense", "convolutional", "U-shaped")
ENDINGS = ("identity, squares", "sigmoid, squares", "sigmoid, cross entropy")
BUS = 16 * 8e9 * 128 / 130 / 8  # PCI Express 3.0, as chapter 3-5-2 calculates it

# --- The claims ----------------------------------------------------------------------------------

CLAIMS = [
    # page, sentence, what stands for {} or whether it is so
    (
        "3-1_convolution",
        "would have about {} billion weights",
        lambda: f"{224**2 * 222**2 / 1e9:.1f}",
    ),
    (
        "3-1_convolution",
        "twice the side, four times the windows, about four times the time",
        lambda: 3.3 < growth()[0][-1] / growth()[0][-2] < 4.7,
    ),
    (
        "3-1_convolution",
        "The loop over the filter is almost level at first",
        lambda: growth()[1][2] < 2 * growth()[1][0],
    ),
    (
        "3-1_convolution",
        "As long as the columns of a block fit into the cache, its size hardly matters",
        lambda: max(blocks()[:4]) < 1.25 * min(blocks()[:4]),
    ),
    (
        "3-1_convolution",
        "as they outgrow it, the curve rises",
        lambda: blocks()[-1] > 1.5 * min(blocks()),
    ),
    (
        "3-1_convolution",
        "with 16 channels the transforming costs as much as it saves",
        lambda: (
            0.75
            < recorded("convolution_timings")["batch"]["package"]["milliseconds"] / blocks()[0]
            < 1.25
        ),
    ),
    (
        "3-1_convolution",
        "With 64 channels the package takes less time than PyTorch",
        lambda: speed("convolution", "e", "package_last") < speed("convolution", "e", "torch"),
    ),
    (
        "3-1_convolution",
        "So the package takes small blocks.",
        lambda: recorded("convolution_timings")["batch"]["package"]["block_bytes"] == BLOCK_BYTES,
    ),
    (
        "3-5-1_cnn",
        "has trained with nine pairs of learning rate and weight decay, three times each, on "
        "the same {} digits, and compared the loss on the 500 validation digits",
        lambda: f"{recorded('digits')['settings']['digits']:,}",
    ),
    (
        "3-5-1_cnn",
        "weight decay 0.2 is best for every learning rate",
        lambda: all(
            min((t for t in settings().values() if t["lr"] == lr), key=lambda t: t["median_loss"])[
                "weight_decay"
            ]
            == 0.2
            for lr in {t["lr"] for t in settings().values()}
        ),
    ),
    (
        "3-5-1_cnn",
        "Between 0.006 and 0.018 the nine trainings cannot tell",
        lambda: (
            abs(settings()[0.006, 0.2]["median_loss"] - settings()[0.018, 0.2]["median_loss"])
            < max(settings()[0.006, 0.2]["loss"]) - min(settings()[0.006, 0.2]["loss"])
        ),
    ),
    (
        "3-5-1_cnn",
        "That is a look at the test digits, {} times",
        lambda: str(
            sum(
                len(run["test_accuracy"])
                for run in recorded("chapter_3_5_1")["variants"]["runs"].values()
            )
        ),
    ),
    (
        "3-5-1_cnn",
        "with more than twice the parameters, more than two and a half times as many digits are "
        "misread",
        lambda: (
            variant("no convolution", "parameters") > 2 * variant("as in the chapter", "parameters")
            and misread("no convolution") > 2.5 * misread("as in the chapter")
        ),
    ),
    (
        "3-5-1_cnn",
        "More filters help, fewer do harm; one convolution is not as good as two.",
        lambda: (
            misread("twice the filters")
            < misread("as in the chapter")
            < misread("half the filters")
            < 1.5 * misread("one convolution")
        ),
    ),
    (
        "3-5-1_cnn",
        "nine out of ten misread is guessing",
        lambda: 0.88 < misread("learning rate ×10") < 0.92,
    ),
    (
        "3-5-1_cnn",
        "do as much good as twice the filters",
        lambda: misread("random shifts") < 1.05 * misread("twice the filters"),
    ),
    (
        "3-5-1_cnn",
        "although it has twenty times the parameters and five times the multiplications",
        lambda: (
            round(variant("no pooling", "parameters") / variant("as in the chapter", "parameters"))
            == 20
            and round(
                variant("no pooling", "multiplications")
                / variant("as in the chapter", "multiplications")
            )
            == 5
            and misread("no pooling") > misread("as in the chapter")
        ),
    ),
    (
        "3-5-1_cnn",
        "Maximum or average makes no difference here; a stride of 2 in its place is worse.",
        lambda: (
            abs(misread("average pooling") - misread("as in the chapter")) < 0.001
            and misread("stride 2, no pooling") > misread("as in the chapter") + 0.003
        ),
    ),
    (
        "3-5-1_cnn",
        "nearly half as many digits again are misread",
        lambda: 1.35 < misread("no ReLU") / misread("as in the chapter") < 1.5,
    ),
    (
        "3-5-1_cnn",
        "**Dropout** does no good here, in ten epochs.",
        lambda: misread("dropout 0.5") >= misread("as in the chapter"),
    ),
    (
        "3-5-1_cnn",
        "From some 20 digits on the calls hardly matter.",
        lambda: per_digit(1) > 5 * per_digit(20) and per_digit(20) < 2 * per_digit(1000),
    ),
    (
        "3-5-1_cnn",
        "A matrix product does the same multiplications thousands of times as fast as Python's",
        lambda: (
            2000
            < recorded("chapter_3_5_1")["times"]["ways"]["seconds_per_digit"][
                "loops over every number"
            ]
            / recorded("chapter_3_5_1")["times"]["ways"]["seconds_per_digit"]["the package"]
            < 10_000
        ),
    ),
    (
        "3-5-2_cnn_gpu",
        "there were many: billions in every second",
        lambda: 2e9 < training_rate() < 1e12,
    ),
    (
        "3-5-2_cnn_gpu",
        "No GPU has been measured for this page yet.",
        lambda: recorded("gpu")["gpu"] is None,
    ),
    (
        "3-5-2_cnn_gpu",
        "at 320 GB/s (T4) or 1,555 GB/s (A100 {{cite}}`nvidia2020ampere`), {} times as fast "
        "as that bus",
        lambda: f"{320e9 / BUS:.0f} and {1555e9 / BUS:.0f}",
    ),
    (
        "3-5-2_cnn_gpu",
        "each number costs less than a nanosecond",
        lambda: (
            max(
                s / n
                for n, s in zip(
                    recorded("gpu")["cpu"]["elementwise"]["elements"],
                    recorded("gpu")["cpu"]["elementwise"]["seconds"],
                    strict=True,
                )
                if n >= 1e4
            )
            < 1e-9
        ),
    ),
    (
        "3-5-2_cnn_gpu",
        "four digits take hardly longer than one, and 4,096 take {} times as long as 1,024",
        lambda: (
            {4: "four"}[round(cpu_steps()[4096] / cpu_steps()[1024])]
            if cpu_steps()[4] < 1.4 * cpu_steps()[1]
            else "?"
        ),
    ),
    (
        "3-5-2_cnn_gpu",
        "Even on the CPU an image costs several times as much in a batch of one as in a large",
        lambda: cpu_steps()[1] > 4 * cpu_steps()[256] / 256,
    ),
    (
        "3-5-2_cnn_gpu",
        "calling a NumPy function takes a few microseconds and not ten",
        lambda: all(
            1e-6 < recorded("gpu")["cpu"]["naive"]["seconds"][name] / count < 8e-6
            for name, count in recorded("gpu")["cpu"]["naive"]["small_operations"].items()
            if name == "image by image"
        ),
    ),
    (
        "3-6_augmentation",
        "every second test photograph is taken for something else",
        lambda: (
            0.45 < curve("none", "val_accuracy") < 0.55 and curve("none", "clean_accuracy") > 0.99
        ),
    ),
    (
        "3-6_augmentation",
        "With flips and shifts the training accuracy *falls*, and that is good",
        lambda: (
            curve("flip and shift", "accuracy") < curve("none", "accuracy") - 0.1
            and curve("flip and shift", "val_accuracy") > curve("none", "val_accuracy") + 0.05
        ),
    ),
    (
        "3-6_augmentation",
        "Zoom, rotation and brightness bring nothing on top, in this setting.",
        lambda: curve("all", "val_accuracy") <= curve("flip and shift", "val_accuracy"),
    ),
    (
        "3-6_augmentation",
        "the upside-down flip costs what the others have won",
        lambda: (
            abs(curve("all, and upside down", "val_accuracy") - curve("none", "val_accuracy"))
            < 0.016
        ),
    ),
    (
        "3-6_augmentation",
        "the augmentation takes several times as long as all layers together",
        lambda: 2.5 < feeding("augment, image by image") / layers_of_an_image() < 6,
    ),
    (
        "3-6_augmentation",
        "By batch, it is a small part.",
        lambda: feeding("augment, by batch") < 0.2 * layers_of_an_image(),
    ),
    (
        "3-6_augmentation",
        "They need less than two thirds of the time, not half or a third of it",
        lambda: 1 / 2 < way("image by image, 2 workers") / way("image by image, in turn") < 2 / 3,
    ),
    (
        "3-6_augmentation",
        "on one core, the first three lie within a factor of two",
        lambda: (
            max(
                times := [
                    recorded("chapter_3_6")["frameworks"]["seconds_per_epoch"][name]
                    for name in ("ours", "torch", "keras")
                ]
            )
            < 2 * min(times)
        ),
    ),
    (
        "3-8_unet",
        "With skips both are found better, from every seed, and the ring gains more than the disc",
        lambda: (
            all(
                a > b
                for key in ("cavity", "muscle")
                for a, b in zip(skips("with", key), skips("without", key))
            )
            and gain_by_skips("muscle") > 1.2 * gain_by_skips("cavity")
        ),
    ),
    (
        "3-8_unet",
        "the ejection fraction is off by {} on average",
        lambda: f"{real_hearts('fraction_error'):.2f}",
    ),
    (
        "3-8_unet",
        "it is the wider network with the larger learning rate that helps, with either loss",
        lambda: min(marked("cross entropy, larger") + marked("cross entropy + Dice, larger")) > 0.6,
    ),
    (
        "3-8_unet",
        "there the loss of areas does no worse from any seed",
        lambda: all(
            a > b - 0.005
            for a, b in zip(
                marked("cross entropy + Dice, larger"), marked("cross entropy, larger"), strict=True
            )
        ),
    ),
    (
        "3-8_unet",
        "By itself it does not save the narrow one",
        lambda: max(marked("cross entropy + Dice")) < 0.05,
    ),
    (
        "3-8_unet",
        "All thirty together come to {}",
        lambda: f"{in_turn('of_picture').mean():.2f}, hardly less than the tens that were drawn",
    ),
    (
        "3-8_unet",
        "Six hearts stay below 0.80",
        lambda: (in_turn("by_patient") < 0.8).sum() == 6 and len(in_turn("by_patient")) == 30,
    ),
    (
        "3-8_unet",
        "The ejection fraction is off by {} on average, and of a single patient",
        lambda: f"{missed_in_turn().mean():.2f}" if (missed_in_turn() > 0.1).sum() == 1 else False,
    ),
    (
        "3-8_unet",
        "The worst are at the ends",
        lambda: (
            place_of_heart("slices between")
            > max(place_of_heart("slice at the base"), place_of_heart("slice at the apex"))
        ),
    ),
    (
        "3-8_unet",
        "it pays to have drawn hearts",
        lambda: hearts("from phantoms") > hearts("from nothing") + 0.02,
    ),
    (
        "3-8_unet",
        "looks {} better than it is",
        lambda: f"{too_good():.2f}",
    ),
    (
        "3-9_pix2pix",
        "With the discriminator the colours are stronger than with L1 alone, and the smaller "
        "$\\lambda$, the stronger, from every seed.",
        lambda: in_every_seed(
            *(colouring(name, "colourfulness") for name in ("L1 alone", "100", "30", "8"))
        ),
    ),
    (
        "3-9_pix2pix",
        "with $\\lambda = 8$ it is larger than with L1 alone each time",
        lambda: in_every_seed(colouring("L1 alone", "error"), colouring("8", "error")),
    ),
    (
        "3-9_pix2pix",
        "The error is lower than that of all grey, so the network has done what it was asked for.",
        lambda: (
            max(*colouring("L1 alone", "error"), long_run("L1 alone")["error"])
            < recorded("chapter_3_9")["grey error"]
        ),
    ),
    (
        "3-9_pix2pix",
        "From every seed, more of each hue comes back with $\\lambda = 30$ than with L1 alone, and "
        "of none as much as half. Yellow, which here means straw, sand and fur, comes back best.",
        lambda: all(
            in_every_seed(
                colouring("L1 alone", "recovered", hue), colouring("30", "recovered", hue)
            )
            and max(colouring("30", "recovered", hue)) < 0.5
            and max(colouring("30", "recovered", hue))
            <= max(colouring("30", "recovered", "yellow"))
            for hue in ("blue", "red", "yellow", "green")
        ),
    ),
    (
        "3-9_pix2pix",
        "With it, no training is as colourful as the palest one without it; the pictures are about "
        "as pale as with L1 alone.",
        lambda: (
            max(colouring("30", "colourfulness", part="batch_norm"))
            < min(colouring("30", "colourfulness"))
            and abs(
                median(colouring("30", "colourfulness", part="batch_norm"))
                - median(colouring("L1 alone", "colourfulness"))
            )
            < 0.05
        ),
    ),
    (
        "3-9_pix2pix",
        "the most colourful of three trainings is paler than the palest one with cleared "
        "gradients, and the discriminator takes most of what was made for real.",
        lambda: (
            max(colouring("gradients left in", "colourfulness", part="gallery"))
            < min(colouring("30", "colourfulness"))
            and min(colouring("gradients left in", "D(G(z))", -1, part="gallery")) > 0.5
        ),
    ),
    (
        "3-9_pix2pix",
        "In the table the second brings the colours back from every seed.",
        lambda: (
            min(colouring("batch norm, two mini-batches", "colourfulness", part="gallery"))
            > max(colouring("30", "colourfulness", part="batch_norm"))
        ),
    ),
    (
        "3-9_pix2pix",
        "With $\\lambda = 8$ there are more of them than in the photographs, in all three "
        "trainings. With the slower discriminator there are fewer from every seed, and a smaller "
        "error, too. Some of the colour goes as well; but of each seed more is left than with "
        "$\\lambda = 30$.",
        lambda: (
            min(colouring("8", "stray steps")) > 1
            and in_every_seed(slower("stray steps"), colouring("8", "stray steps"))
            and in_every_seed(slower("error"), colouring("8", "error"))
            and in_every_seed(
                colouring("30", "colourfulness"),
                slower("colourfulness"),
                colouring("8", "colourfulness"),
            )
        ),
    ),
    (
        "3-9_pix2pix",
        "From every seed comes a larger error than with targets from −1 to 1, with twice the "
        "$\\lambda$ as well.",
        lambda: all(
            in_every_seed(colouring("30", "error"), colouring(name, "error", part="gallery"))
            for name in ("targets from 0 to 1", "targets from 0 to 1, 60")
        ),
    ),
    (
        "3-9_pix2pix",
        "So used, either network is worse than no colours at all, in all three seeds.",
        lambda: (
            min(colouring("L1 alone", "error alone") + colouring("30", "error alone"))
            > recorded("chapter_3_9")["grey error"]
        ),
    ),
    (
        "3-6-2_transfer",
        "**With one image**, frozen features are far ahead.",
        lambda: few("only few", "frozen", "all", 1) > few("only few", "scratch", "all", 1) + 0.2,
    ),
    (
        "3-6-2_transfer",
        "**From ten on**, fine-tuning is ahead of frozen features.",
        lambda: all(
            few("only few", "fine-tuned", "all", n) > few("only few", "frozen", "all", n)
            for n in (10, 20, 50, 100)
        ),
    ),
    (
        "3-6-2_transfer",
        "**With a hundred**, the frozen body is the *worst* of the three.",
        lambda: (
            few("only few", "frozen", "all", 100)
            < min(few("only few", kind, "all", 100) for kind in ("scratch", "fine-tuned"))
        ),
    ),
    (
        "3-6-2_transfer",
        "The frozen head needs less than a thirtieth of what the others need.",
        lambda: seconds_of("frozen") < min(seconds_of("scratch"), seconds_of("fine-tuned")) / 30,
    ),
    (
        "3-6-2_transfer",
        "With five or ten images, a frozen body gets many more of them right",
        lambda: all(
            few("old ones too", "frozen", "new", n) > few("old ones too", "scratch", "new", n) + 0.2
            for n in (5, 10)
        ),
    ),
    (
        "3-6-2_transfer",
        "Up to $\\lambda = 0.3$ the digits lose nothing",
        lambda: all(
            median(run["accuracy"])
            > median(recorded("transfer")["multitask"]["alone"]["accuracy"]) - 0.002
            for weight, run in zip(
                recorded("transfer")["multitask"]["weights"],
                recorded("transfer")["multitask"]["shared"],
                strict=True,
            )
            if weight <= 0.3
        ),
    ),
    (
        "3-6-2_transfer",
        "is better than that of a random encoder at every point",
        lambda: all(
            probe("autoencoder, code", n) > probe("random encoder, code", n)
            for n in recorded("transfer")["autoencoder"]["numbers"]
        ),
    ),
    (
        "3-6-2_transfer",
        "Against the pixels the gain is one or two per cent, and only from some ten labels on.",
        lambda: all(
            0.005 < probe("autoencoder, code", n) - probe("pixels", n) < 0.025
            for n in (10, 20, 50, 100)
        ),
    ),
    (
        "3-6-2_transfer",
        "three per cent ahead of the pixels",
        lambda: round(100 * (probe("autoencoder, layer before", 100) - probe("pixels", 100))) == 3,
    ),
    (
        "3-6-2_transfer",
        "those of the Siamese network by some ten to fourteen per cent",
        lambda: all(
            0.095 < a - b < 0.145
            for a, b in zip(one_shot("Siamese"), one_shot("pixels"), strict=True)
        ),
    ),
    (
        "3-6-2_transfer",
        "The classifier that lost its head is about as good as the Siamese network.",
        lambda: all(
            abs(a - b) < 0.08
            for a, b in zip(one_shot("Siamese"), one_shot("classifier"), strict=True)
        ),
    ),
    (
        "3-6-2_transfer",
        "an *untrained* network does as well",
        lambda: abs(one_shot("Siamese")[1] - one_shot("untrained")[1]) < 0.03,
    ),
    (
        "3-7-1_evolution",
        "nearly a thousand times as many parameters, and 1,700 times as many multiplications",
        lambda: (
            900 < count("AlexNet") / count("LeNet-5") < 1000
            and round(count("AlexNet", "multiplications") / count("LeNet-5", "multiplications"), -2)
            == 1700
        ),
    ),
    (
        "3-7-1_evolution",
        "the linear layers hold nine parameters in ten, and the convolutions do nine "
        "multiplications in ten",
        lambda: all(
            of_linear_layers(name, "parameters") > 0.88
            and of_linear_layers(name, "multiplications") < 0.12
            for name in ("AlexNet", "VGG-16")
        ),
    ),
    (
        "3-7-1_evolution",
        "GoogLeNet has 7 million parameters, VGG-16 has {} million",
        lambda: f"{count('VGG-16') / 1e6:.0f}" if round(count("GoogLeNet") / 1e6) == 7 else False,
    ),
    (
        "3-7-1_evolution",
        "The ResNet with 152 layers has fewer parameters than VGG with 19, and fewer "
        "multiplications.",
        lambda: all(
            count("ResNet-152", key) < count("VGG-19", key)
            for key in ("parameters", "multiplications")
        ),
    ),
    (
        "3-7-1_evolution",
        "with our layers only two to three times as fast, and with PyTorch's between hardly faster "
        "and nearly four times",
        lambda: (
            1.95 < min(faster())
            and max(faster()) < 3.05
            and 1 < min(faster(", PyTorch")) < 1.3
            and 3.5 < max(faster(", PyTorch")) < 4
        ),
    ),
    (
        "3-7-1_evolution",
        "The most accurate one here is {}",
        lambda: f"**{by_accuracy()[0]}**, with {median(trained()[by_accuracy()[0]]):.2f} in",
    ),
    (
        "3-7-1_evolution",
        "the least accurate one {}.",
        lambda: f"{by_accuracy()[-1]}, with {median(trained()[by_accuracy()[-1]]):.2f}",
    ),
    (
        "3-7-1_evolution",
        "MobileNet, comes {} of eight",
        lambda: ["first", "second", "third", "fourth", "fifth", "sixth", "seventh", "last"][
            by_accuracy().index("MobileNet")
        ],
    ),
    (
        "3-7-1_evolution",
        "Between the runs of one and the same network lie up to {}",
        lambda: f"{max(max(runs) - min(runs) for runs in trained().values()):.2f}",
    ),
    (
        "3-7-1_evolution",
        "ResNet-20 and DenseNet are that near to the first; still, none of their runs reaches any "
        "of its.",
        lambda: max(trained()["ResNet-20"] + trained()["DenseNet"]) < min(trained()["GoogLeNet"]),
    ),
    (
        "3-7-1_evolution",
        "AlexNet has {} times as many as MobileNet",
        lambda: f"{count('small AlexNet') / count('small MobileNet'):.1f}",
    ),
    (
        "3-7-1_evolution",
        "{} times as many of them in a second as",
        lambda: f"{pace('small AlexNet') / pace('small MobileNet'):.1f}",
    ),
    (
        "3-7-1_evolution",
        "are those **without batch normalisation**; the four that lead have it",
        lambda: (
            set(by_accuracy()[-3:]) == {"LeNet", "AlexNet", "VGG"}
            and by_accuracy()[4] == "VGG, normalised"
        ),
    ),
    (
        "3-7-1_evolution",
        "It ends at {}",
        lambda: "{:.2f} in the middle run, VGG without it at {:.2f}, and the runs of the".format(
            *(median(trained()[name]) for name in ("VGG, normalised", "VGG"))
        ),
    ),
    (
        "3-7-1_evolution",
        "and the runs of the two overlap",
        lambda: min(trained()["VGG, normalised"]) < max(trained()["VGG"]),
    ),
    (
        "3-7_resnet",
        "the best of its three trainings knows fewer of its *training* pictures than the worst of "
        "the plain ones with 20 layers",
        lambda: max(deep("plain-38")) < min(deep("plain-20")),
    ),
    (
        "3-7_resnet",
        "the same 38 layers learn more in each of three trainings than in any without",
        lambda: min(deep("residual-38")) > max(deep("plain-38")),
    ),
    (
        "3-7_resnet",
        "both kinds have {} parameters",
        lambda: " or ".join(
            sorted(
                {
                    f"{recorded('chapter_3_7')['depth'][kind]['parameters']:,}"
                    for kind in ("plain-38", "residual-38")
                }
            )
        ),
    ),
    (
        "3-7_resnet",
        "one of the three residual trainings is worse than all plain ones",
        lambda: min(deep("residual-20")) < min(deep("plain-20")) < sorted(deep("residual-20"))[1],
    ),
    (
        "3-7_resnet",
        "38 layers with shortcuts are, after three epochs, not better than 20 with shortcuts",
        lambda: median(deep("residual-38")) <= median(deep("residual-20")),
    ),
    (
        "3-7_resnet",
        "In the plain network the gradient of the filters is {} times as large in the first",
        lambda: " to ".join(f"{round(f(uneven('plain, with norm')), -1):.0f}" for f in (min, max)),
    ),
    (
        "3-7_resnet",
        "in the residual network {} times (three seeds each)",
        lambda: " to ".join(f"{f(uneven('residual, with norm')):.0f}" for f in (min, max)),
    ),
    (
        "3-7_resnet",
        "is less than a thousandth everywhere, in the residual one about ten",
        lambda: (
            max(max(r["weights"]) for r in recorded("chapter_3_7")["start"]["plain, without norm"])
            < 1e-3
            and all(
                3 < median(r["weights"]) < 30
                for r in recorded("chapter_3_7")["start"]["residual, without norm"]
            )
        ),
    ),
    (
        "3-7_resnet",
        "each sum adds to the signal, which is {} in the end",
        lambda: f"{last_signal('residual, without norm'):.0f}",
    ),
    (
        "3-7_resnet",
        "a residual network of 20 layers keeps, half of the time, {} % or more",
        lambda: f"{100 * left_of('residual-20'):.0f}",
    ),
    (
        "3-7_resnet",
        "without the same two layers, a plain one keeps {} %",
        lambda: f"{100 * left_of('plain-20'):.0f}",
    ),
    (
        "3-7_resnet",
        "With 38 layers it is {} %: the more blocks there are",
        lambda: f"{100 * left_of('residual-38'):.0f}",
    ),
    (
        "3-7_resnet",
        "Of VGG hardly anything is left.",
        lambda: left(recorded("chapter_3_7")["vgg"]["runs"]) < 0.15,
    ),
    (
        "3-7_resnet",
        "The plain one lies on a plateau.",
        lambda: abs(surface("plain-38")[0] - 2.3) < 0.15 and surface("plain-38")[1] < 2.6,
    ),
    (
        "3-7_resnet",
        "Ours takes as long as Keras here and one and a half times as long as PyTorch.",
        lambda: (
            0.9 < pace_of("ours") / pace_of("Keras") < 1.1
            and 1.4 < pace_of("ours") / pace_of("PyTorch") < 1.6
        ),
    ),
    (
        "3-7_resnet",
        "each of its three trainings ends above each of the deep one's",
        lambda: min(wide_accuracies()[0]) > max(wide_accuracies()[1]),
    ),
    (
        "3-7_resnet",
        "With that it multiplies as often as ResNet-152, with a third of the layers",
        lambda: (
            0.97
            < count("Wide ResNet-50-2", "multiplications") / count("ResNet-152", "multiplications")
            < 1.03
        ),
    ),
    (
        "3-7_resnet",
        "as many directions as there are parameters, some {},000 here",
        lambda: f"{recorded('chapter_3_7')['depth']['plain-38']['parameters'] / 1000:.0f}",
    ),
    (
        "3-7_resnet",
        "The residual network lies in a bowl",
        lambda: surface("residual-38")[1] > surface("residual-38")[0] + 1.5,
    ),
    (
        "3-9-1_gan",
        "All three arrive within a hundredth of $-1.386$, and both answers of",
        lambda: all(
            abs(run["V"][-1] + 1.386) < 0.01
            and max(abs(run[name][-1] - 0.5) for name in ("D(x)", "D(G(z))")) < 0.01
            for run in gan("balance")
        ),
    ),
    (
        "3-9-1_gan",
        "after 100 turns all three generators are still more than 4 away",
        lambda: min(gan_distances("log(1 - D), SGD")) > 4,
    ),
    (
        "3-9-1_gan",
        "With $-\\log \\mathrm{D}$ none is farther than 2 by then.",
        lambda: max(gan_distances("-log D, SGD")) < 2,
    ),
    (
        "3-9-1_gan",
        "at turn 100 it is even nearer",
        lambda: median(gan_distances("log(1 - D), Adam")) < median(gan_distances("-log D, Adam")),
    ),
    (
        "3-9-1_gan",
        "Its gradient is thousands of times smaller at the beginning",
        lambda: all(
            large["gradient"][0] > 2000 * small["gradient"][0]
            for small, large in zip(
                gan("losses")["log(1 - D), SGD"], gan("losses")["-log D, SGD"], strict=True
            )
        ),
    ),
    (
        "3-9-1_gan",
        "says about two thirds of everything, real or generated, and $\\mathrm{V}$ falls to $-1.5$",
        lambda: all(
            abs(run["V"] + 1.5) < 0.02
            and abs(run["D(x)"] - 0.66) < 0.02
            and abs(run["D(G(z))"] - 0.66) < 0.02
            for run in gan("left_in")["D"]
        ),
    ),
    (
        "3-9-1_gan",
        "its cloud stays farther from the data in all three trainings",
        lambda: (
            min(run["energy"] for run in gan("left_in")["G"])
            > max(run["energy"] for run in gan("left_in")["none"])
        ),
    ),
    (
        "3-9-1_gan",
        "One step against one finds all eight, three times. Ten against one finds three at most.",
        lambda: (
            {run["modes"] for run in gan("ring")["1 : 1"]} == {8}
            and max(run["modes"] for run in gan("ring")["1 : 10"]) == 3
        ),
    ),
    (
        "3-9-1_gan",
        "It finds {} clouds: better, and no guarantee.",
        lambda: "{}, {} and {}".format(
            *(
                {8: "eight", 7: "seven", 2: "two"}[run["modes"]]
                for run in gan("ring")["1 : 10, pairs"]
            )
        ),
    ),
    (
        "3-9-1_gan",
        "After 6 epochs, half a minute of one processor, the digits are what was asked for "
        "in 94 to 96 of 100 cases",
        lambda: (
            recorded("chapter_3_9_1")["conditional"]["epochs"] == 6
            and {round(100 * run["agreement"]) for run in gan("conditional")} == {94, 96}
            and all(25 < noted["seconds"][5] <= 30 for noted in by_epoch())
        ),
    ),
    (
        "3-9-1_gan",
        "After three epochs it is 88 to 90. The last epoch adds nothing any more",
        lambda: (
            sorted(round(100 * noted["agreement"][2]) for noted in by_epoch()) == [88, 90, 90]
            and all(noted["agreement"][5] <= noted["agreement"][4] for noted in by_epoch())
        ),
    ),
    (
        "3-9-1_gan",
        "slow to make use of it: 85 to 88 of 100.",
        lambda: (
            sorted(round(100 * a) for a in gan_agreements("label as ten planes"))[::2] == [85, 88]
        ),
    ),
    (
        "3-9-1_gan",
        "vary {} times as much as real ones",
        lambda: "{:.2f} to {:.2f}".format(
            *sorted(run["variety"] for run in gan("conditional"))[::2]
        ),
    ),
    (
        "3-9-1_gan",
        "They are a little farther from their nearest training digits than digits are that "
        "nobody has trained on",
        lambda: all(
            0 < run["nearest"] - recorded("chapter_3_9_1")["conditional"]["real"]["nearest"] < 0.5
            for run in gan("conditional")
        ),
    ),
    (
        "3-9-1_gan",
        "With $\\beta_1 = 0.9$ nothing is learned at all, three times",
        lambda: max(gan_agreements("Adam with β₁ = .9")) < 0.15,
    ),
    (
        "3-9-1_gan",
        "Without the one, the judge agrees less often by two to eight digits of 500, and "
        "there are more blots, each time. With a sigmoid, it is by two to 21 digits.",
        lambda: (
            gan_digits_lost("G: no batch norm") == [2, 8, 8]
            and all(a > b for a, b in gan_pairs("G: no batch norm", "blots"))
            and gan_digits_lost("G: sigmoid, and data from 0 to 1") == [2, 3, 21]
        ),
    ),
    (
        "3-9-1_gan",
        "With max pooling in place of strides the judge agrees more often each time, and the "
        "blots are halved. It has its price: the convolutions go over all pixels then, and "
        "the training takes nearly twice as long.",
        lambda: (
            gan_change("D: max pooling, not stride 2") == (0, 3)
            and 0.45 < gan_ratio("D: max pooling, not stride 2", "blots") < 0.6
            and 1.7 < gan_ratio("D: max pooling, not stride 2", "seconds") < 2
        ),
    ),
    (
        "3-9-1_gan",
        "copied pixels in the generator; batch normalisation, a hidden layer or a plain ReLU "
        "in the discriminator.",
        lambda: all(
            max(gan_change(name)) < 3
            for name in (
                "G: copied pixels, not transposed",
                "D: batch norm, as in the paper",
                "D: a hidden layer of 64",
                "D: ReLU",
            )
        ),
    ),
    (
        "3-9-1_gan",
        "With the ReLU there are fewer blots each time, and with copied pixels, which take "
        "longer, more variety.",
        lambda: (
            all(a < b for a, b in gan_pairs("D: ReLU", "blots"))
            and gan_ratio("G: copied pixels, not transposed", "seconds") > 1.5
            and all(a > b for a, b in gan_pairs("G: copied pixels, not transposed", "variety"))
        ),
    ),
    (
        "3-9-1_gan",
        "With kernel 3 the judge agrees less often each time, in 92 or 93 of 100 cases; with "
        "kernel 4 it is 94 to 96, and with copied pixels as well",
        lambda: (
            gan_change("kernel size 3") == (3, 0)
            and all(
                {round(100 * agreement) for agreement in gan_agreements(name)} == ends
                for name, ends in (
                    ("kernel size 3", {92, 93}),
                    ("all as here", {94, 96}),
                    ("G: copied pixels, not transposed", {94, 96}),
                )
            )
        ),
    ),
    (
        "3-9-1_gan",
        "with kernel 3 it is stronger in two of the three seeds. Copied pixels, convolved "
        "then, make hardly any.",
        lambda: (
            sum(a > b for a, b in gan_pairs("kernel size 3", "untrained checkerboard")) == 2
            and max(
                run["untrained checkerboard"]
                for run in gan("changes")["G: copied pixels, not transposed"]
            )
            < 0.02
        ),
    ),
    (
        "3-9-1_gan",
        "ten against ten find all eight again, three times, in as many turns",
        lambda: {run["modes"] for run in gan("ring")["10 : 10"]} == {8},
    ),
    (
        "3-9-1_gan",
        "after 40 turns of its own in place of 400 the generator is within half a unit in the end",
        lambda: (
            recorded("chapter_3_9_1")["losses"]["ahead"] == 400
            and max(gan_distances("log(1 - D), SGD, D less far ahead", 400)) < 0.5
        ),
    ),
    (
        "3-9-1_gan",
        "no generator comes nearer than 1 in 400 turns",
        lambda: all(
            min(run["distance"]) > 1 for run in gan("losses")["log(1 - D), SGD, real is .9"]
        ),
    ),
    (
        "3-9-1_gan",
        "there are 44 to 49 blots, in a hundred real ones 4",
        lambda: (
            sorted(round(100 * run["blots"]) for run in gan("conditional"))[::2] == [44, 49]
            and round(100 * recorded("chapter_3_9_1")["conditional"]["real"]["blots"]) == 4
        ),
    ),
    (
        "3-9-1_gan",
        "the judge agrees less often when the discriminator is so fast, and there are about "
        "twice as many blots, or more.",
        lambda: (
            gan_change("D four times as fast, real is 1") == (3, 0)
            and all(a > 1.9 * b for a, b in gan_pairs("D four times as fast, real is 1", "blots"))
        ),
    ),
    (
        "speed",
        "On **a** the textbook's way to dX is the better one",
        lambda: speed("convolution", "a", "textbook") < speed("convolution", "a", "torch"),
    ),
    (
        "speed",
        "some of the steps gain, others lose",
        lambda: min(kept_against_usual()) < 0.98 and max(kept_against_usual()) > 1.02,
    ),
    (
        "speed",
        "a step of the ResNet takes about as long here as there",
        lambda: (
            0.75
            < speed("steps", "ResNet-8, batch 64", "package")
            / speed("steps", "ResNet-8, batch 64", "torch")
            < 1.25
        ),
    ),
    (
        "speed",
        "On channels-last arrays PyTorch is faster still",
        lambda: all(
            row["seconds"]["torch_last"] < row["seconds"]["torch"]
            for row in recorded("speed")["environments"]["machine"]["steps"].values()
        ),
    ),
    (
        "3-8-1_autoencoders",
        "has a good part of what the network has for a 0",
        lambda: 0.7 < without_a_network("ink alone", 0) < left_out(0),
    ),
    (
        "3-8-1_autoencoders",
        "The **error** finds a 0 or a 2 in nine pairs of ten",
        lambda: 0.88 < left_out(2) < 0.95 and 0.88 < left_out(0) < 0.95,
    ),
    (
        "3-8-1_autoencoders",
        "for a 7 or a 9 it is close to a coin, and for a 1 it is far *worse* than a coin",
        lambda: max(left_out(7), left_out(9)) < 0.65 and left_out(1) < 0.35,
    ),
    (
        "3-8-1_autoencoders",
        "find less than the network, or as much, but for the 1",
        lambda: all(
            (without_a_network("components", digit) < left_out(digit) + 0.005) == (digit != 1)
            for digit in range(10)
        ),
    ),
    (
        "3-8-1_autoencoders",
        "finds *more* than the network, or as much, in every row",
        lambda: all(
            without_a_network("nearest", digit) > left_out(digit) - 0.005 for digit in range(10)
        ),
    ),
    (
        "3-8-1_autoencoders",
        "half of the 0s are found, and of the 7s and 9s hardly any",
        lambda: (
            0.45 < left_out(0, "found") < 0.6
            and max(left_out(7, "found"), left_out(9, "found")) < 0.06
        ),
    ),
    (
        "3-8-1_autoencoders",
        "the identity leaves a third of them outside the range",
        lambda: 0.3 < restored("endings", "identity, squares", "outside") < 0.37,
    ),
    (
        "3-8-1_autoencoders",
        "Squares or cross entropy makes little difference here.",
        lambda: (
            abs(
                restored("endings", "sigmoid, squares", "error")
                / restored("endings", "sigmoid, cross entropy", "error")
                - 1
            )
            < 0.1
        ),
    ),
    (
        "3-8-1_autoencoders",
        "The two with a sigmoid restore better",
        lambda: (
            restored("endings", "identity, squares", "error")
            > 1.2 * max(restored("endings", name, "error") for name in ENDINGS[1:])
        ),
    ),
    (
        "3-8-1_autoencoders",
        "The dense network beats the blur by three decibels, half the error",
        lambda: 2.8 < cleaned("dense") - recorded("chapter_3_8_1")["denoising"]["blur"][3] < 3.5,
    ),
    (
        "3-8-1_autoencoders",
        "cleans best, one decibel better than the dense one, in two epochs and with a fifteenth of "
        "its parameters",
        lambda: (
            0.8 < cleaned("U-shaped") - cleaned("dense") < 1.4
            and cleaned("dense") > cleaned("convolutional")
            and recorded("chapter_3_8_1")["denoising"]["U-shaped"]["epochs"] == 2
            and 14 < cleaners("dense", "parameters") / cleaners("U-shaped", "parameters") < 16
        ),
    ),
    (
        "3-8-1_autoencoders",
        "each of them makes a good picture *worse*, and doing nothing would be better",
        lambda: (
            max(cleaned(way, 0.1) for way in CLEANERS)
            < recorded("chapter_3_8_1")["denoising"]["noisy"][0]
        ),
    ),
    (
        "3-8-1_autoencoders",
        "they fall back, the U furthest",
        lambda: cleaned("U-shaped", 0.8) < min(cleaned(way, 0.8) for way in CLEANERS[:2]),
    ),
    (
        "3-8-1_autoencoders",
        "ended with empty paper, {} dB",
        lambda: f"{cleaned('U-shaped, not normalised'):.1f}",
    ),
    (
        "3-8-1_autoencoders",
        "bending pays, most with 8 or 16, by a quarter of the error",
        lambda: (
            sorted(saved_by_bending(), key=saved_by_bending().get)[-2:] in ([8, 16], [16, 8])
            and all(0.22 < saved_by_bending()[size] < 0.28 for size in (8, 16))
        ),
    ),
    (
        "3-8-1_autoencoders",
        "With 128 the components, which are calculated and not searched for, have less than half "
        "of its error",
        lambda: saved_by_bending()[128] < -1 and min(list(saved_by_bending().values())[:5]) > 0,
    ),
    (
        "3-8-1_autoencoders",
        "a quarter is left with filter 3 and an eighth with filter 4",
        lambda: (
            0.2 < pattern_left("filter 3, stride 2") < 0.27
            and 0.11 < pattern_left("filter 4, stride 2") < 0.14
        ),
    ),
    (
        "3-8-1_autoencoders",
        "none of the three has more of it than the digits themselves",
        lambda: (
            max(median(run[-1] for run in checkerboard(way, "pattern")) for way in DECODERS)
            < recorded("chapter_3_8_1")["checkerboard"]["digits"]
        ),
    ),
    (
        "3-8-1_autoencoders",
        "an epoch takes half as long again. Here it pays, with the smallest error from every seed",
        lambda: (
            1.3
            < median(checkerboard(DECODERS[2], "seconds"))
            / max(median(checkerboard(way, "seconds")) for way in DECODERS[:2])
            < 1.7
            and max(run[-1] for run in checkerboard(DECODERS[2], "error"))
            < min(run[-1] for way in DECODERS[:2] for run in checkerboard(way, "error"))
        ),
    ),
    (
        "3-8-1_autoencoders",
        "from each of three seeds, and `digit_autoencoder`, which has no normalisation either, "
        "from two of three",
        lambda: (
            [
                sum(max(row) < 10 for row in recorded("chapter_3_8_1")["denoising"][way]["psnr"])
                for way in ("U-shaped, not normalised", "all convolutions")
            ]
            == [3, 2]
        ),
    ),
    (
        "3-8-1_autoencoders",
        "the convolutional one has learned less of the digits that it learns *from*",
        lambda: (
            max(compared("dense", "learned")) < min(compared("convolutional", "learned"))
            and max(compared("dense", "error")) < min(compared("convolutional", "error"))
        ),
    ),
    (
        "3-8-1_autoencoders",
        "an epoch takes it three times as long in our package",
        lambda: (
            2.5
            < median(compared("convolutional", "seconds")) / median(compared("dense", "seconds"))
            < 3.5
        ),
    ),
    (
        "3-8-1_autoencoders",
        "the error more than doubles, with convolutions as without",
        lambda: all(
            median(compared(kind, "moved")) > 2 * median(compared(kind, "error"))
            for kind in ("dense", "convolutional")
        ),
    ),
    (
        "3-8-1_autoencoders",
        "with a smaller error than it has for its own digits",
        lambda: left_out(1, "strange") < left_out(1, "known"),
    ),
    (
        "3-8-1_autoencoders",
        "It helps the 1, and costs the 0",
        lambda: (
            left_out(1, "relative") > left_out(1) + 0.1 and left_out(0, "relative") < left_out(0)
        ),
    ),
    (
        "3-8-1_autoencoders",
        "whatever comes, comes back, and the areas fall",
        lambda: all(left_out(digit, size=128) < left_out(digit) for digit in (0, 2, 8)),
    ),
    (
        "3-10-1_detection",
        "With 13 regions the shared map does not even halve the time; with 416 it saves eight "
        "ninths of it",
        lambda: regions_times()[13] < 2 and 8.5 < regions_times()[416] < 9.5,
    ),
    (
        "3-10-1_detection",
        "It takes more time than either network, so Fast R-CNN as a whole is not even one and a "
        "half times as fast as R-CNN",
        lambda: (
            scene_time("search") > scene_time("R-CNN") > scene_time("Fast R-CNN")
            and scene_time("search", "R-CNN") < 1.5 * scene_time("search", "Fast R-CNN")
        ),
    ),
    (
        "3-10-1_detection",
        "30 of them cover more of the things than some two hundred regions from the search",
        lambda: (
            max(detectors("faster", "proposals", "count")) <= 30
            and min(detectors("faster", "segments", "count")) > 200
            and min(detectors("faster", "proposals", "recall"))
            > max(detectors("faster", "segments", "recall")) + 0.05
        ),
    ),
    (
        "3-10-1_detection",
        "SSD has a little more of the things (AP50); where boxes have to fit better (AP70), the "
        "second look of Faster R-CNN pays",
        lambda: (
            max(detectors("faster", "AP50"))
            < min(detectors("ssd", "AP50"))
            < max(detectors("faster", "AP50")) + 0.05
            and min(detectors("faster", "AP70")) > max(detectors("ssd", "AP70"))
        ),
    ),
    (
        "3-10-1_detection",
        "**YOLO** is far behind after as many steps",
        lambda: max(detectors("yolo", "AP50")) < min(detectors("faster", "AP50")) - 0.3,
    ),
    (
        "3-10-1_detection",
        "The sizes have become more than twenty times better, the places only six times",
        lambda: yolo_fell("size") > 20 and 5.5 < yolo_fell("place") < 7,
    ),
    (
        "3-10-1_detection",
        "Buses it finds, but small people hardly",
        lambda: (
            min(classes[1] for classes in detectors("yolo", "by class")) > 0.75
            and max(classes[2] for classes in detectors("yolo", "by class")) < 0.15
        ),
    ),
    (
        "3-10-1_detection",
        "nobody is good, not even those without a grid",
        lambda: max(detectors("faster", "queues") + detectors("ssd", "queues")) < 0.5,
    ),
    (
        "3-10-1_detection",
        "And YOLO finds next to none",
        lambda: max(detectors("yolo", "queues")) < 0.01,
    ),
    (
        "3-10-1_detection",
        "Here each scene was seen three or four times",
        lambda: (
            3
            < recorded("chapter_3_10_1")["settings"]["steps"]
            * recorded("chapter_3_10_1")["settings"]["batch_size"]
            / recorded("chapter_3_10_1")["settings"]["learn"]
            < 4
        ),
    ),
    (
        "3-10-1_detection",
        "cost the same second stage a seventh of its AP",
        lambda: (
            1 / 8
            < 1
            - median(detectors("faster", "segments", "AP50"))
            / median(detectors("faster", "segments", "AP50 of Faster R-CNN"))
            < 1 / 6
        ),
    ),
    (
        "3-10-1_detection",
        "the *same* network took more than three times as long in one run as in another",
        lambda: max(detectors("ssd", "milliseconds")) > 3 * min(detectors("ssd", "milliseconds")),
    ),
    (
        "3-10-1_detection",
        "with them all people come out too small",
        lambda: people_fit("the first three anchors") < 0.3 < 0.55 < people_fit("as here"),
    ),
    (
        "3-10-1_detection",
        "our layers need about a third more time for a frame than PyTorch on the same core",
        lambda: (
            1.25
            < recorded("chapter_3_10_1")["street"]["seconds"]["convbook"]
            / recorded("chapter_3_10_1")["street"]["seconds"]["PyTorch"]
            < 1.42
        ),
    ),
    (
        "3-10-1_detection",
        "numbers, learned from photographs",
        lambda: recorded("chapter_3_10_1")["street"]["numbers"] == 8_858_734,
    ),
    (
        "3-10_mask_rcnn",
        "the first of those that were trained for 1,400 steps",
        lambda: (
            recorded("chapter_3_10")["settings"]["long"] == 1400
            and recorded("chapter_3_10")["long"][0]["seed"] == 0
        ),
    ),
    (
        "3-10_mask_rcnn",
        "two people get another number in this film. 1 becomes 6:",
        lambda: (
            [row[2:] for row in recorded("chapter_3_10")["long"][0]["films"][5]["switches"]]
            == [[1, 6], [3, 7]]
        ),
    ),
    (
        "3-10_mask_rcnn",
        "for nine frames a car hides his legs, and no score is high enough; from 0.4 on instead of "
        "0.5 he is missed for one frame less, and keeps his number",
        lambda: (
            seen_in_film(0.5, 1)[-1] == 18
            and seen_in_film(0.5, 6)[0] == 28
            and {18, 27} <= set(seen_in_film(0.4, 1))
            and not set(range(19, 27)) & set(seen_in_film(0.4, 1))
        ),
    ),
    (
        "3-10_mask_rcnn",
        "she was found once, in frame 1, and then walks in front of the bus, from which the "
        "network does not tell her; no score helps",
        lambda: (
            seen_in_film(0.5, 3) == [1]
            and all(
                4 in {thing for _, thing, *_ in film(least / 20).switches} for least in range(1, 11)
            )
        ),
    ),
    (
        "3-10_mask_rcnn",
        "From every seed the boxes are a little better with masks, by three hundredths at most",
        lambda: all(0 < gain < 0.035 for gain in masks_help("box AP50") + masks_help("box AP70")),
    ),
    (
        "3-10_mask_rcnn",
        "But one seed differs from the next by more than that",
        lambda: np.ptp([run["box AP50"] for run in regions()]) > max(masks_help("box AP50")),
    ),
    (
        "3-10_mask_rcnn",
        "After 350 steps little more than half of the crossings are counted",
        lambda: all(0.5 < share < 0.6 for share in crossings_counted(regions())),
    ),
    (
        "3-10_mask_rcnn",
        "Four times the training makes far better boxes, and two thirds to four fifths of the "
        "crossings are counted. Numbers change *more* often than before",
        lambda: (
            min(run["box AP50"] for run in recorded("chapter_3_10")["long"])
            > max(run["box AP50"] for run in regions()) + 0.1
            and all(
                0.65 < share < 0.81 for share in crossings_counted(recorded("chapter_3_10")["long"])
            )
            and min(map(switches, recorded("chapter_3_10")["long"])) > max(map(switches, regions()))
        ),
    ),
    (
        "3-10_mask_rcnn",
        "Each figure of the upper four is higher with RoIAlign, from every seed. For the boxes it "
        "shows most where the threshold is strict",
        lambda: (
            all(
                gain > 0
                for name in ("box AP50", "box AP70", "mask AP50", "mask AP70")
                for gain in gained(name)
            )
            and all(a < b for a, b in zip(gained("box AP50"), gained("box AP70")))
        ),
    ),
    (
        "3-10_mask_rcnn",
        "nearly as well with rounded regions, one or two hundredths less, and the larger things "
        "lose more of it than the small ones",
        lambda: (
            all(0.005 <= gain < 0.025 for gain in gained("overlap"))
            and all(a > b for a, b in zip(gained("overlap of large"), gained("overlap of small")))
        ),
    ),
    (
        "3-10_mask_rcnn",
        "masks lie beside their things by a tenth of a pixel or so, with either of the two",
        lambda: all(
            abs(v) < 0.2 for roi in ("align", "max") for r in regions(roi) for v in r["apart"]
        ),
    ),
    (
        "3-10_mask_rcnn",
        "More crossings are missed than numbers change",
        lambda: all(
            sum(sum(film["crossed in truth"]) - sum(film["crossed"]) for film in run["films"])
            > sum(len(film["switches"]) for film in run["films"])
            for run in regions()
        ),
    ),
    (
        "3-10_mask_rcnn",
        "A fifth to a third of the AP50 is gone",
        lambda: all(
            0.2 < 1 - run["half a cell"]["mask AP50"] / run["mask AP50"] < 0.34 for run in regions()
        ),
    ),
    (
        "3-10-2_segmentation",
        "250 weights in all, raise mIoU by {}, and the map is better from every seed, at edges",
        lambda: f"{median(gain_by_scores()):.2f}" if min(gain_by_scores()) > 0 else False,
    ),
    (
        "3-10-2_segmentation",
        "the map is better from every seed, at edges as well",
        lambda: min(gain_by_scores("at edges")) > 0,
    ),
    (
        "3-10-2_segmentation",
        "the network finds background and buses, and hardly anything else",
        lambda: all(max(ious[1], ious[3], ious[4]) < 0.1 < ious[2] for ious in ious_with("none")),
    ),
    (
        "3-10-2_segmentation",
        "its accuracy is the highest of the three all the same",
        lambda: weighted("none")[0] > max(weighted("root")[0], weighted("all")[0]),
    ),
    (
        "3-10-2_segmentation",
        "everything is found and called far too often, dogs for nine times the pixels that they "
        "have",
        lambda: 8.5 < weighted("all")[1] < 9.5,
    ),
    (
        "3-10-2_segmentation",
        "in the median it has the best mIoU of the three, though its runs differ a lot and this "
        "small network still finds next to no dogs",
        lambda: (
            median(mious("root", part="weights"))
            > max(median(mious(power, part="weights")) for power in ("none", "all"))
            and np.ptp(mious("root", part="weights")) > 0.05
            and max(ious[4] for ious in ious_with("root")) < 0.15
        ),
    ),
    (
        "3-10-2_segmentation",
        "It comes last here, though the best of its three runs is level with the FCN without skips",
        lambda: (
            median(mious("SegNet")) < min(median(mious(name)) for name in ("FCN", "U-Net"))
            and median(mious("SegNet")) < median(mious("FCN without skips"))
            and abs(max(mious("SegNet")) - median(mious("FCN without skips"))) < 0.01
        ),
    ),
    (
        "3-10-2_segmentation",
        "takes twice as long as the FCN, which is ahead of it from every seed",
        lambda: (
            1.7 < segmenting_seconds("U-Net") / segmenting_seconds("FCN") < 2.3
            and all(a > b for a, b in zip(mious("FCN"), mious("U-Net")))
        ),
    ),
    (
        "3-10-2_segmentation",
        "all of them lose, the U-Net most",
        lambda: (
            min(lost_when_larger(name) for name in SEGMENTING) > 0
            and max(SEGMENTING, key=lost_when_larger) == "U-Net"
        ),
    ),
    (
        "3-10-2_segmentation",
        "what each gives for half a minute or a minute of learning",
        lambda: all(25 < segmenting_seconds(name) < 75 for name in SEGMENTING),
    ),
]


@pytest.mark.parametrize(
    "page, sentence, bears_out",
    CLAIMS,
    ids=[f"{page}: {sentence[:50]}" for page, sentence, _ in CLAIMS],
)
def test_the_files_bear_the_sentence_out(page, sentence, bears_out):
    result = bears_out()
    if isinstance(result, str):
        sentence = sentence.format(result)
    assert sentence in said(f"book/{page}"), f"the page does not say: {sentence}"
    assert result, f"the files in book/data say otherwise: {sentence}"


def test_every_page_with_recorded_figures_and_every_file_has_a_claim():
    read = {
        name: set(re.findall(r"data/(\w+)\.json", (ROOT / f"{name}.ipynb").read_text("utf-8")))
        for name in listed_in_toc()
        if (ROOT / f"{name}.ipynb").exists()
    }
    assert {name for name, files in read.items() if files} <= {
        f"book/{page}" for page, *_ in CLAIMS
    }
    files = {path.stem for path in DATA.glob("*.json")}
    assert files == set().union(*read.values())


def test_a_gpu_that_has_been_recorded_ends_the_note_that_none_was():
    note = "No GPU has been measured for this page yet." in said("book/3-5-2_cnn_gpu")
    assert note == (recorded("gpu")["gpu"] is None)
    outputs = (ROOT / "book" / "3-5-2_cnn_gpu.ipynb").read_text(encoding="utf-8")
    assert outputs.count("no figures have been recorded") == 0
