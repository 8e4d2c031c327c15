"""The two networks of a GAN: one makes data from noise, one tells them from real data.

Goodfellow et al., "Generative adversarial nets", NeurIPS 2014. Discriminators end in a score
without a sigmoid, the logarithm of D / (1 - D): `BCEWithLogitsLoss` and `probability` follow.
`convbook.training.adversarial` trains both.
"""

from .. import checks
from ..arrays import get_array_module
from ..layers import (
    BatchNorm2d,
    Container,
    Conv2d,
    ConvTranspose2d,
    Flatten,
    LeakyReLU,
    Linear,
    MaxPool2d,
    ReLU,
    Reshape,
    Sequential,
    Tanh,
    Upsample,
)
from ..layers.base import errors_of, run_backward

SLOPE = 0.2  # of the DCGAN paper's leaky ReLU

# --- In the plane --------------------------------------------------------------------------------


def plane_generator(noise=2, hidden=64, rng=None):
    """Return an untrained generator from noise (N, noise) to points of the plane (N, 2).

    Parameters
    ----------
    noise, hidden : int
    rng : int or numpy.random.Generator, optional
        Draws the initial weights.
    """
    rng = checks.generator("rng", rng)
    return Sequential(
        Linear(noise, hidden, rng=rng),
        ReLU(),
        Linear(hidden, hidden, rng=rng),
        ReLU(),
        Linear(hidden, 2, rng=rng),
    )


def plane_discriminator(hidden=64, inputs=2, rng=None):
    """Return an untrained discriminator from points (N, inputs) to scores (N, 1).

    Parameters
    ----------
    hidden : int
    inputs : int
        2 for a point; 4 for two points side by side, which are judged together.
    rng : int or numpy.random.Generator, optional
    """
    rng = checks.generator("rng", rng)
    return Sequential(
        Linear(inputs, hidden, rng=rng),
        LeakyReLU(SLOPE),
        Linear(hidden, hidden, rng=rng),
        LeakyReLU(SLOPE),
        Linear(hidden, 1, rng=rng),
    )


# --- Digits --------------------------------------------------------------------------------------


def digit_generator(
    noise=16,
    channels=24,
    rng=None,
    batch_norm=True,
    upsample=False,
    activation=ReLU,
    output=Tanh,
    kernel_size=4,
):
    """Return an untrained generator from noise (N, noise) to digits (N, 1, 28, 28).

    Like that of Radford, Metz and Chintala, "Unsupervised representation learning with deep
    convolutional generative adversarial networks", ICLR 2016 (DCGAN), at a size that a CPU trains
    in a minute. The options leave out one of its rules each.

    Parameters
    ----------
    noise, channels : int
    rng : int or numpy.random.Generator, optional
    batch_norm : bool
        After every layer but the last.
    upsample : bool
        Enlarge by copying pixels, and convolve then, in place of transposed convolutions.
    activation, output : function() that returns a layer
        In between, and at the end.
    kernel_size : int
        Of the transposed convolutions, at least 2. With one that stride 2 does not divide, an
        uneven number of products makes a pixel: the checkerboard.
    """
    rng = checks.generator("rng", rng)
    size = checks.integer("kernel_size", kernel_size, least=2)
    padding, rest = divmod(size - 1, 2)

    def normalised(out):
        return [BatchNorm2d(out)] if batch_norm else []

    def twice_as_large(c, oc, bias):
        if upsample:
            return [Upsample(2), Conv2d(c, oc, 3, padding=1, bias=bias, rng=rng)]
        return [
            ConvTranspose2d(
                c,
                oc,
                size,
                stride=2,
                padding=padding,
                output_padding=1 - rest,
                bias=bias,
                rng=rng,
            )
        ]

    wide = 2 * channels
    return Sequential(
        Linear(noise, wide * 7 * 7, bias=not batch_norm, rng=rng),
        Reshape(wide, 7, 7),
        *normalised(wide),
        activation(),
        *twice_as_large(wide, channels, bias=not batch_norm),
        *normalised(channels),
        activation(),
        *twice_as_large(channels, 1, bias=True),
        output(),
    )


def digit_discriminator(
    outputs=1,
    channels=24,
    rng=None,
    batch_norm=False,
    pooling=False,
    slope=SLOPE,
    hidden=0,
    inputs=1,
):
    """Return an untrained discriminator from digits (N, inputs, 28, 28) to scores (N, outputs).

    Parameters
    ----------
    outputs, channels : int
    rng : int or numpy.random.Generator, optional
    batch_norm : bool
        After the second convolution. (The paper has it; at this size it does harm.)
    pooling : bool
        Make the maps smaller by max pooling, in place of a stride of 2.
    slope : float
        Of the leaky ReLU; 0 makes it a ReLU.
    hidden : int
        Numbers of a fully connected layer in front of the last; 0 for none.
    inputs : int
        Channels of the picture.
    """
    rng = checks.generator("rng", rng)

    def half_as_large(c, oc):
        if pooling:
            return [Conv2d(c, oc, 3, padding=1, rng=rng), MaxPool2d(2)]
        return [Conv2d(c, oc, 4, stride=2, padding=1, rng=rng)]

    wide, flat = 2 * channels, 2 * channels * 7 * 7
    dense = [Linear(flat, hidden, rng=rng), LeakyReLU(slope)] if hidden else []
    return Sequential(
        *half_as_large(inputs, channels),
        LeakyReLU(slope),
        *half_as_large(channels, wide),
        *([BatchNorm2d(wide)] if batch_norm else []),
        LeakyReLU(slope),
        Flatten(),
        *dense,
        Linear(hidden or flat, outputs, rng=rng),
    )


# --- With a label as condition -------------------------------------------------------------------


class WithLabel(Container):
    """The base of networks with a second input, the labels (N,); no gradient belongs to them.

    Parameters
    ----------
    body : Layer
    classes : int
    """

    def __init__(self, body, classes=10):
        super().__init__({"body": body})
        self.body, self.classes = body, checks.integer("classes", classes, least=2)

    def one_hot(self, labels, x):
        """Return labels as rows (N, classes) with a single 1, in the dtype of x."""
        xp = get_array_module(x)
        labels = xp.asarray(labels)
        if labels.shape != (len(x),) or labels.dtype.kind not in "iu":
            raise ValueError(
                f"labels must be {len(x)} integers, one for each input, got shape "
                f"{labels.shape}, dtype {labels.dtype}"
            )
        if len(labels) and not 0 <= int(labels.min()) <= int(labels.max()) < self.classes:
            raise ValueError(
                f"labels must be from 0 to {self.classes - 1}, got {int(labels.min())} to "
                f"{int(labels.max())}"
            )
        return xp.eye(self.classes, dtype=x.dtype)[labels]


class ConditionalGenerator(WithLabel):
    """A generator that is told what to make: the label stands behind the noise, as a row 0 … 1 … 0.

    Parameters
    ----------
    body : Layer
        From (N, noise + classes) to what is generated.
    classes : int
    """

    def forward(self, z, labels):
        """Return what the body makes of the noise z: (N, noise) and the labels: (N,)."""
        with errors_of(self):
            z = self._input(z, "NZ")
            xp = get_array_module(z)
            joined = xp.concatenate([z, self.one_hot(labels, z)], axis=1)
        return self._output(self.body(joined))

    def backward(self, dy, need_dx=True):
        """Return dz, and None for the labels."""
        dy = self._gradient(dy)
        dx = run_backward(self.body, dy, need_dx=need_dx)
        return (dx[:, : -self.classes], None) if need_dx else None


class ConditionalDiscriminator(WithLabel):
    """A discriminator that is told what the picture claims to be: it has a score for each claim.

    The body gives 1 + classes scores. The first says how real a picture looks, whatever it shows;
    the others, how well it fits each label. Added up are the first and that of the label. This is
    the inner product of Miyato and Koyama, "cGANs with projection discriminator", ICLR 2018.

    Parameters
    ----------
    body : Layer
        From pictures to scores (N, 1 + classes).
    classes : int
    """

    def forward(self, x, labels):
        """Return scores (N, 1) for pictures x: (N, C, H, W) that claim to be of these labels."""
        scores = self.body(x)
        with errors_of(self):
            checks.shape("scores", scores, (len(scores), 1 + self.classes))
            self._chosen = self.one_hot(labels, scores)
        fits = (scores[:, 1:] * self._chosen).sum(axis=1, keepdims=True)
        return self._output(scores[:, :1] + fits)

    def backward(self, dy, need_dx=True):
        """Return dx, and None for the labels."""
        dy = self._gradient(dy)
        d_scores = get_array_module(dy).concatenate([dy, dy * self._chosen], axis=1)
        dx = run_backward(self.body, d_scores, need_dx=need_dx)
        return (dx, None) if need_dx else None


class LabelPlanes(WithLabel):
    """A discriminator that gets the label as further channels: one plane of ones, the others zeros.

    Parameters
    ----------
    body : Layer
        From (N, C + classes, H, W) to scores (N, 1).
    classes : int
    """

    def forward(self, x, labels):
        """Return the scores of pictures x: (N, C, H, W) that claim to be of these labels."""
        with errors_of(self):
            x = self._input(x, "NCHW")
            xp = get_array_module(x)
            planes = self.one_hot(labels, x)[:, :, None, None]
            planes = xp.broadcast_to(planes, (len(x), self.classes, *x.shape[2:]))
        return self._output(self.body(xp.concatenate([x, planes], axis=1)))

    def backward(self, dy, need_dx=True):
        """Return dx, and None for the labels."""
        dx = run_backward(self.body, self._gradient(dy), need_dx=need_dx)
        return (dx[:, : -self.classes], None) if need_dx else None


def conditional_generator(noise=16, channels=24, classes=10, rng=None, **options):
    """Return an untrained generator of digits; its inputs are noise (N, noise) and labels (N,)."""
    return ConditionalGenerator(digit_generator(noise + classes, channels, rng, **options), classes)


def conditional_discriminator(channels=24, classes=10, rng=None, planes=False, **options):
    """Return an untrained discriminator of digits and the labels that they claim.

    With `planes`, the label is given as channels of the picture, not as a choice of scores.
    """
    if planes:
        body = digit_discriminator(1, channels, rng, inputs=1 + classes, **options)
        return LabelPlanes(body, classes)
    return ConditionalDiscriminator(
        digit_discriminator(1 + classes, channels, rng, **options), classes
    )
