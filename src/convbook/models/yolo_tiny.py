"""YOLOv3-tiny, and its published weights: 80 kinds of things in photographs, on these layers.

Redmon and Farhadi, "YOLOv3: an incremental improvement", 2018. Two grids, of 13 × 13 and 26 × 26
cells for a picture of 416 × 416; in each cell three boxes, which stretch an anchor of their own.
"""

import hashlib

import numpy as np

from .. import checks
from ..arrays import to_numpy
from ..datasets.files import File, find
from ..detection import clip_boxes, nms
from ..layers import (
    BatchNorm2d,
    Concat,
    Container,
    Conv2d,
    LeakyReLU,
    MaxPool2d,
    Sequential,
    Upsample,
)
from ..losses import probability

SIDE = 416  # of the pictures that the published weights were trained on
# Height and width, in pixels of such a picture; for the coarse grid, and for the fine one. The file
# of settings beside the published weights names (14, 10), (27, 23), (58, 37) for the fine grid,
# with which its boxes are too small: where both grids found one person, in four sizes, the boxes
# of the two overlapped by .30 to .38; with the ones below, by .83 to .94.
ANCHORS = (
    ((82, 81), (169, 135), (319, 344)),
    ((27, 23), (58, 37), (82, 81)),
)
NAMES = tuple(
    "person,bicycle,car,motorbike,aeroplane,bus,train,truck,boat,traffic light,fire hydrant,"
    "stop sign,parking meter,bench,bird,cat,dog,horse,sheep,cow,elephant,bear,zebra,giraffe,"
    "backpack,umbrella,handbag,tie,suitcase,frisbee,skis,snowboard,sports ball,kite,"
    "baseball bat,baseball glove,skateboard,surfboard,tennis racket,bottle,wine glass,cup,fork,"
    "knife,spoon,bowl,banana,apple,sandwich,orange,broccoli,carrot,hot dog,pizza,donut,cake,"
    "chair,sofa,pottedplant,bed,diningtable,toilet,tvmonitor,laptop,mouse,remote,keyboard,"
    "cell phone,microwave,oven,toaster,sink,refrigerator,book,clock,vase,scissors,teddy bear,"
    "hair drier,toothbrush".split(",")
)
WEIGHTS = File(
    "yolov3-tiny.weights",
    "yolov3-tiny.weights",
    35_434_956,
    "dccea06f59b781ec1234ddf8d1e94b9519a97f4245748a7d4db75d5b7080a42c",
)
MIRRORS = ("https://pjreddie.com/media/files/",)
NETWORK = {"classes": 80, "width": 1.0}  # what the published weights belong to
LARGEST_STRETCH = np.log(1000 / 16)  # wilder codes are cut off


class YoloTiny(Container):
    """The network of YOLOv3-tiny, from pictures (N, 3, H, W) to what the cells of two grids say.

    Parameters
    ----------
    classes : int
        K; 80 for the published weights.
    width : float
        A factor for all numbers of channels but those of the answers.
    rng : int or numpy.random.Generator, optional
        Draws the initial weights.

    Examples
    --------
    >>> coarse, fine = YoloTiny(width=1 / 8)(np.zeros((1, 3, 64, 96), np.float32))
    >>> coarse.shape, fine.shape
    ((1, 255, 2, 3), (1, 255, 4, 6))
    """

    def __init__(self, classes=80, width=1.0, rng=None):
        self.classes = checks.integer("classes", classes, least=1)
        self.width = checks.number("width", width, least=1 / 16)
        rng = checks.generator("rng", rng)

        def wide(channels):
            return max(1, round(channels * self.width))

        def block(inputs, outputs, kernel_size):
            return [
                Conv2d(inputs, outputs, kernel_size, padding=kernel_size // 2, bias=False, rng=rng),
                BatchNorm2d(outputs),
                LeakyReLU(0.1),
            ]

        widths = [wide(c) for c in (16, 32, 64, 128, 256, 512, 1024, 256, 128)]
        levels = []
        for inputs, outputs in zip([3, *widths[:4]], widths[:5]):
            levels += [*block(inputs, outputs, 3), MaxPool2d(2)]
        front, middle = levels[:-1], [levels[-1]]
        answers, (half, neck, lateral) = 3 * (5 + classes), (widths[5], widths[7], widths[8])
        super().__init__(
            {
                "front": Sequential(*front),
                "middle": Sequential(
                    *middle, *block(widths[4], half, 3),
                    MaxPool2d(2, stride=1, padding=((0, 1), (0, 1))),  # the size stays
                    *block(half, widths[6], 3), *block(widths[6], neck, 1),
                ),
                "coarse": Sequential(
                    *block(neck, half, 3), Conv2d(half, answers, 1, rng=rng)
                ),
                "up": Sequential(*block(neck, lateral, 1), Upsample(2)),
                "join": Concat(),
                "fine": Sequential(
                    *block(lateral + widths[4], wide(256), 3),
                    Conv2d(wide(256), answers, 1, rng=rng),
                ),
            }
        )  # fmt: skip

    def forward(self, x):
        """Return what the coarse grid says, (N, 3·(5 + K), H/32, W/32), and the fine one."""
        parts = self.children
        wide = parts["front"].forward(x)
        neck = parts["middle"].forward(wide)
        coarse = parts["coarse"].forward(neck)
        fine = parts["fine"].forward(parts["join"].forward(parts["up"].forward(neck), wide))
        return self._output(coarse, fine)

    def backward(self, dcoarse, dfine, need_dx=True):
        """Return dx, given the gradients of both outputs; fill grads."""
        parts, (dcoarse, dfine) = self.children, self._gradient(dcoarse, dfine)
        dup, dwide = parts["join"].backward(parts["fine"].backward(dfine))
        dneck = parts["coarse"].backward(dcoarse) + parts["up"].backward(dup)
        return parts["front"].backward(dwide + parts["middle"].backward(dneck), need_dx=need_dx)

    def __repr__(self):
        return f"YoloTiny(classes={self.classes}, width={self.width:g})"


# --- Weights -------------------------------------------------------------------------------------


def published(folder=None):
    """Return the network with the published weights, ready for use.

    They are 35 MB, and come from the author's site, checked by their SHA-256, into the cache; or
    from a folder, or another mirror.

    Parameters
    ----------
    folder : str or path, optional
        A folder that holds ``yolov3-tiny.weights``, or the address of a mirror; without it, what
        the environment variable CONVBOOK_DATA says.

    Returns
    -------
    YoloTiny

    Raises
    ------
    FileNotFoundError, ConnectionError, OSError
        If the file cannot be had.
    ValueError
        If that in the folder is another file of this name.
    """
    try:
        path = find(WEIGHTS, MIRRORS, folder)
    except FileNotFoundError as error:
        reason = str(error).partition(". Put ")[0]
        raise FileNotFoundError(
            f"{reason}. The weights are published as {MIRRORS[0]}{WEIGHTS.name} "
            f"({WEIGHTS.size / 1e6:.0f} MB); without them, a network of your own can be trained: "
            "see convbook.detection"
        ) from None
    with open(path, "rb") as file:
        digest = hashlib.sha256(file.read()).hexdigest()
    if digest != WEIGHTS.sha256:
        raise ValueError(
            f"{path} must have the SHA-256 {WEIGHTS.sha256}, got {digest}: it is another file, or "
            "was not copied whole"
        )
    model = YoloTiny(**NETWORK)
    load_darknet(model, path)
    return model.eval()


def load_darknet(model, path):
    """Copy weights that darknet has written into a network.

    The file holds three ints (a version), how many pictures were seen, and then for each
    convolution, in order, the bias (or beta, gamma, the running mean and variance of its
    normalisation) and the filters, as floats.

    Parameters
    ----------
    model : YoloTiny
    path : str or path

    Raises
    ------
    ValueError
        If the file holds more numbers than the network, or fewer; nothing is changed then.
    """
    with open(path, "rb") as file:
        content = file.read()
    if len(content) < 16:
        raise ValueError(f"{path} is no file of weights: it has {len(content)} bytes")
    major, minor, _ = np.frombuffer(content[:12], "<i4")
    start = 20 if 10 * int(major) + int(minor) >= 2 else 16  # how the count of pictures is written
    body = content[start:]
    wanted = [array for layer in _convolutions(model) for array in layer]
    count = sum(array.size for array in wanted)
    if len(body) != 4 * count:
        raise ValueError(
            f"{path} must hold {count:,} numbers for {model!r}, got {len(body) / 4:,.10g}"
        )
    numbers, at = np.frombuffer(body, "<f4"), 0
    for array in wanted:
        array[...] = numbers[at : at + array.size].reshape(array.shape)
        at += array.size


def save_darknet(model, path):
    """Write the weights of a network as darknet does."""
    with open(path, "wb") as file:
        file.write(np.array([0, 2, 0, 0, 0], "<i4").tobytes())
        for layer in _convolutions(model):
            for array in layer:
                file.write(np.ascontiguousarray(to_numpy(array), "<f4").tobytes())


def _convolutions(model):
    """Yield for each convolution, in darknet's order, its arrays in darknet's order."""
    layers = [layer for layer in model.walk() if isinstance(layer, (Conv2d, BatchNorm2d))]
    for layer, after in zip(layers, [*layers[1:], None]):
        if isinstance(layer, Conv2d):
            if isinstance(after, BatchNorm2d):
                statistics = after.buffers["running_mean"], after.buffers["running_var"]
                yield after.params["beta"], after.params["gamma"], *statistics, layer.params["f"]
            else:
                yield layer.params["b"], layer.params["f"]


# --- Pictures in, boxes out ----------------------------------------------------------------------


def letterbox(image, side=SIDE):
    """Return a picture made smaller or larger, so that it fits into a square, on a grey ground.

    Parameters
    ----------
    image : array (3, H, W), values from 0 to 1
    side : int
        A multiple of 32.

    Returns
    -------
    array (1, 3, side, side), float32
    (scale, top, left)
        A point at (y, x) in the picture lies at (top + scale · y, left + scale · x) in the square.
    """
    _, image = checks.numeric_arrays(image=to_numpy(image))
    checks.axes("image", image, ("3", "H", "W"))
    side = checks.integer("side", side, least=32)
    if side % 32:
        raise ValueError(f"side must be a multiple of 32, got {side}")
    _, h, w = image.shape
    scale = side / max(h, w)
    high, wide = (max(1, round(n * scale)) for n in (h, w))
    top, left = (side - high) // 2, (side - wide) // 2
    square = np.full((1, 3, side, side), 0.5, np.float32)
    rows, columns = _resampling(h, high), _resampling(w, wide)
    square[0, :, top : top + high, left : left + wide] = rows @ image @ columns.T
    return square, (scale, top, left)


def _resampling(old, new):
    """Return the weights (new, old) of bilinear samples at the middles of the new pixels."""
    places = np.clip((np.arange(new) + 0.5) * old / new - 0.5, 0, old - 1)
    return np.maximum(1 - abs(places[:, None] - np.arange(old)), 0)


def found_in_picture(outputs, placing, size, least=0.3, threshold=0.45, side=SIDE):
    """Return the things that the cells of both grids have found, where they are in the picture.

    Parameters
    ----------
    outputs : (array (1, 3·(5 + K), h, w), array (1, 3·(5 + K), 2h, 2w))
        What `YoloTiny` says of a `letterbox`.
    placing : (scale, top, left)
        What `letterbox` returned.
    size : (H, W)
        Of the picture.
    least, threshold : float
        As in `convbook.detection.things_found`.
    side : int
        Of the square.

    Returns
    -------
    boxes : array (F, 4)
        (y0, x0, y1, x1) in pixels of the picture.
    scores : array (F,)
    labels : array (F,) of ints
        Positions in `NAMES`.
    """
    least, found = checks.number("least", least, least=0, most=1), []
    for output, anchors in zip(outputs, ANCHORS):
        output = to_numpy(output).astype(np.float64)
        checks.axes("outputs", output, "NCHW")
        _, channels, h, w = output.shape
        said = output[0].reshape(3, channels // 3, h, w)
        rows, columns = np.arange(h)[:, None], np.arange(w)
        y, x = (probability(said[:, 1]) + rows) / h, (probability(said[:, 0]) + columns) / w
        stretch = np.exp(np.clip(said[:, 2:4], -LARGEST_STRETCH, LARGEST_STRETCH))
        shapes = np.array(anchors, float)[:, :, None, None]
        high, wide = stretch[:, 1] * shapes[:, 0] / 2, stretch[:, 0] * shapes[:, 1] / 2
        y, x = y * side, x * side
        boxes = np.stack([y - high, x - wide, y + high, x + wide], axis=-1)
        scores = probability(said[:, 4])[:, None] * probability(said[:, 5:])  # (3, K, h, w)
        a, label, row, column = np.nonzero(scores >= least)
        found.append((boxes[a, row, column], scores[a, label, row, column], label))
    boxes, scores, labels = map(np.concatenate, zip(*found))
    scale, top, left = placing
    boxes = clip_boxes((boxes - [top, left, top, left]) / scale, size)
    kept = nms(boxes, scores, threshold, labels)
    return boxes[kept], scores[kept], labels[kept].astype(np.intp, copy=False)
