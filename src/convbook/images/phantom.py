"""Drawn hearts: cross-sections of a beating heart, with masks of what is what.

    someone = patient(np.random.default_rng(0))
    image, cavity, muscle = frame(someone, phase=0.0, height=0.0, rng=1)

Magnetic resonance shows the heart in slices across its long axis, each as a film of one beat. In
such a slice the blood of the left ventricle is a bright disc in a grey ring of muscle. Two
papillary muscles stand dark in the blood; the right ventricle lies against the ring like a sickle;
the lungs around are dark, and the chest wall is bright with fat. Those are drawn here, with the
uneven brightness of the coil that listens, noise and breathing, so that a network can be trained
without anybody's pictures. No heart of any patient is in them, and what a network learns from them
is worth nothing in a hospital.

What is not drawn: valves, the outflow tract, scars, implants, blood that has flowed out of the
slice, motion blurred within a frame.
"""

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from .. import checks

GRID = 128  # points along a side; smaller pictures are means over squares of points
SPACING = 1.37  # mm from point to point, about as in the Sunnybrook data
LENGTH = 85.0  # mm from the valves to the tip, heights -1 and 1
BASE, APEX = -0.9, 0.8  # the heights that slices are drawn at, of -1 (valves) to 1 (tip)

_ROWS, _COLUMNS = np.mgrid[0:GRID, 0:GRID].astype(np.float32) - (GRID - 1) / 2
_FREQUENCIES = np.fft.rfftfreq(GRID)[None, :] ** 2 + np.fft.fftfreq(GRID)[:, None] ** 2


@dataclass(frozen=True)
class Patient:
    """One person: a body, a heart, and how it beats. `patient` draws one.

    Lengths are in points of 1.37 mm, places (x to the right, y down) are from the picture's centre,
    angles in radians clockwise from the right, brightnesses from 0 to about 1.

    Attributes
    ----------
    centre : pair
        Of the left ventricle.
    radius, wall : float
        Of the cavity, and how thick the muscle is, at end-diastole, where the heart is widest.
    ejection_fraction : float
        The share of its blood that the cavity pushes out in a beat.
    systole : float
        When it is smallest (end-systole), as a share of the beat.
    waves, wave_angles : ndarray (2, 3)
        How far inner and outer contour are from circles: amplitudes and angles of three waves.
    right : (angle, length, width)
        The right ventricle.
    papillary : ndarray (2, 5)
        Of both papillary muscles: angle, distance from the centre, radius, elongation, darkness.
    blood, muscle, lung, fat, organ : float
        How bright they are.
    chest : (x, y, radius, thickness)
        The chest wall: the circle that it lies around, and its layer of fat.
    diaphragm : (y, slope)
    organs : ndarray (M, 5)
        Below the diaphragm: x, y, width, height, brightness.
    vessels : ndarray (M, 4)
        Bright dots in the lungs: x, y, radius, brightness.
    fat_on_heart : (angle, width, brightness)
    coil : (angle, strength)
        From where the coil makes the picture brighter, and how much.
    noise, flow, trabeculae, breath : float
        How strong they are.
    texture : int
        The seed of what is grainy about the body, which is the same in all its pictures.
    """

    centre: tuple
    radius: float
    wall: float
    ejection_fraction: float
    systole: float
    waves: np.ndarray
    wave_angles: np.ndarray
    right: tuple
    papillary: np.ndarray
    blood: float
    muscle: float
    lung: float
    fat: float
    organ: float
    chest: tuple
    diaphragm: tuple
    organs: np.ndarray
    vessels: np.ndarray
    fat_on_heart: tuple
    coil: tuple
    noise: float
    flow: float
    trabeculae: float
    breath: float
    texture: int


def patient(rng=None):
    """Draw a person at random; four of ten have a heart that pumps too little.

    Parameters
    ----------
    rng : int or numpy.random.Generator, optional

    Returns
    -------
    Patient
    """
    rng = checks.generator("rng", rng)
    u = rng.uniform
    weak = rng.random() < 0.4
    return Patient(
        centre=(u(-7, 7), u(-9, 7)),
        radius=u(14, 27),
        wall=u(5.5, 11),
        ejection_fraction=u(0.1, 0.45) if weak else u(0.5, 0.75),
        systole=u(0.3, 0.42),
        waves=rng.normal(0, 1, (2, 3)) * [0.035, 0.02, 0.012],
        wave_angles=u(0, 2 * np.pi, (2, 3)),
        right=(np.pi + u(-0.5, 0.35), u(0.75, 1.2), u(1.1, 1.55)),
        papillary=np.column_stack(
            [
                (u(0.2, 1.0), u(2.0, 2.9)),
                u(0.6, 0.78, 2),
                u(0.1, 0.24, 2),
                u(0.8, 1.9, 2),
                u(0.3, 1, 2),
            ]
        ),
        blood=u(0.55, 0.85),
        muscle=u(0.17, 0.3),
        lung=u(0.02, 0.07),
        fat=u(0.75, 1.3),
        organ=u(0.08, 0.45),
        chest=(u(5, 40), u(5, 45), u(62, 94), u(5, 28)),
        diaphragm=(u(26, 44), u(-0.25, 0.25)),
        organs=np.column_stack(
            [u(low, high, n) for n in [rng.integers(1, 5)] for low, high in _ORGANS]
        ),
        vessels=np.column_stack(
            [u(low, high, n) for n in [rng.integers(3, 14)] for low, high in _VESSELS]
        ),
        fat_on_heart=(u(1.7, 3.6), u(0.5, 1.1), u(0, 1.2)),
        coil=(np.pi + u(0.1, 1.4), u(0.2, 1.2)),
        noise=u(0.004, 0.03),
        flow=u(0, 0.25),
        trabeculae=u(0, 0.35),
        breath=u(0, 1.5),
        texture=int(rng.integers(2**31)),
    )


_ORGANS = ((-64, 64), (26, 61), (8, 34), (6, 20), (0.03, 0.6))
_VESSELS = ((-64, 64), (-64, 64), (1, 3.5), (0.2, 0.9))


def openness(person, phase):
    """Return how far open the ventricle is: 1 at end-diastole, 0 at end-systole.

    Parameters
    ----------
    person : Patient
    phase : float
        The moment, from 0 (end-diastole) over ``person.systole`` to 1, which is 0 again.
    """
    phase %= 1.0
    if phase < person.systole:
        return (1 + math.cos(math.pi * phase / person.systole)) / 2
    filled = min(1.0, 1.6 * (phase - person.systole) / (1 - person.systole))
    return (1 - math.cos(math.pi * filled)) / 2  # filled before the beat is over, and resting then


def radii(person, phase, height):
    """Return the radius of the cavity and that of the muscle's outside, in points.

    The cavity's area shrinks by the ejection fraction; the muscle keeps its own, and is therefore
    thicker where the cavity is smaller.
    """
    narrowing = math.sqrt(max(0.05, 1 - max(0.0, 0.25 + 0.7 * height) ** 2))
    wide, wall = person.radius * narrowing, person.wall * (1 - 0.25 * max(0.0, height))
    inner = wide * math.sqrt(1 - person.ejection_fraction * (1 - openness(person, phase)))
    return inner, math.sqrt(inner**2 + (wide + wall) ** 2 - wide**2)


def frame(person, phase=0.0, height=0.0, rng=None, size=64, noise=None):
    """Draw one picture of a person's heart, and the masks that belong to it.

    Parameters
    ----------
    person : Patient
    phase : float
        The moment of the beat; see `openness`.
    height : float
        Of the slice, from -1 (at the valves, the base) to 1 (the apex).
    rng : int or numpy.random.Generator, optional
        Draws what differs from picture to picture: noise, flowing blood, a small movement.
    size : {32, 64, 128}
        Pixels along a side.
    noise : float, optional
        In place of the person's own; 0 for none.

    Returns
    -------
    image : ndarray (size, size), float32 from 0 to 1
        Stretched so that a hundredth of it is black, and a hundredth white.
    cavity, muscle : ndarray (size, size), bool
        The blood of the left ventricle, papillary muscles included, as doctors draw it; and the
        ring of muscle around it.

    Raises
    ------
    TypeError, ValueError
        If an argument is none of these.
    """
    if not isinstance(person, Patient):
        raise TypeError(f"person must be a Patient, got {person!r} of type {type(person).__name__}")
    phase = checks.number("phase", phase, least=0, most=1)
    height = checks.number("height", height, least=-1, most=1)
    checks.one_of("size", size, (32, 64, 128))
    noise = person.noise if noise is None else checks.number("noise", noise, least=0)
    rng = checks.generator("rng", rng)
    scene = _Scene(person, phase, height, rng)
    scene.draw_chest()
    scene.draw_right_ventricle()
    scene.draw_left_ventricle()
    image = _received(person, scene.image, noise, rng)
    cavity, inside = (
        _averaged((depth > 0).astype(np.float32), size) >= 0.5
        for depth in (scene.inside, scene.outside)
    )
    return _averaged(image, size), cavity, inside & ~cavity


class _Scene:
    """A picture that is being drawn, from the back to the front."""

    def __init__(self, person, phase, height, rng):
        self.person, self.height, self.rng = person, height, rng
        self.radius, self.outer = radii(person, phase, height)
        self.wide = radii(person, 0.0, height)[0]
        closed = 1 - openness(person, phase)
        self.breath = person.breath * math.sin(2 * math.pi * phase + 1)
        x, y = person.centre
        self.x = _COLUMNS - (x + 1.2 * closed + rng.normal(0, 0.3))
        self.y = _ROWS - (y + self.breath + rng.normal(0, 0.4))
        self.distance, self.angle = np.hypot(self.x, self.y), np.arctan2(self.y, self.x)
        # How far a point is inside the inner and the outer contour; negative outside.
        self.inside = self.radius * (1 + (1 + closed) * self._waves(0)) - self.distance
        self.outside = self.outer * (1 + 0.6 * self._waves(1)) - self.distance
        self.fine, self.middle, self.coarse = _grain(person.texture)
        self.image = person.lung * (1 + 0.3 * self.middle).astype(np.float32)

    def _waves(self, which):
        amplitudes, angles = self.person.waves[which], self.person.wave_angles[which]
        return sum(
            a * np.cos((k + 2) * self.angle + b)
            for k, (a, b) in enumerate(zip(amplitudes.tolist(), angles.tolist()))
        )

    def paint(self, where, brightness):
        """Lay a brightness over the picture, as thickly as `where`, from 0 to 1, says."""
        self.image = self.image + where * (brightness - self.image)

    def draw_chest(self):
        """Draw lungs with vessels, the chest wall, and what lies below the diaphragm."""
        person = self.person
        x, y, radius, thickness = person.chest
        beyond = np.hypot(_COLUMNS - x, _ROWS - y) - radius
        self.paint(
            _soft(beyond, 1.2) * _soft(thickness - beyond, 1.2),
            person.fat * (0.85 + 0.1 * self.middle),
        )
        self.paint(_soft(beyond - 0.55 * thickness, 1), 1.2 * person.muscle)
        y, slope = person.diaphragm
        below = _soft(_ROWS - y - slope * _COLUMNS - 4 * np.sin(self.x / 28) - self.breath, 1)
        self.paint(below, person.organ * (1 + 0.12 * self.coarse))
        for x, y, width, height, brightness in person.organs.tolist():
            inside = (1 - np.hypot((_COLUMNS - x) / width, (_ROWS - y) / height)) * min(
                width, height
            )
            self.paint(_soft(inside, 1) * below, brightness)
            rim = _soft(inside + 1.5, 0.8) - _soft(inside - 0.5, 0.8)
            self.paint(0.6 * rim * below, 0.5 * person.fat)
        for x, y, radius, brightness in person.vessels.tolist():
            dot = np.exp(-((_COLUMNS - x) ** 2 + (_ROWS - y) ** 2) / (2 * radius**2))
            self.image = self.image + 0.6 * dot * brightness * (1 - below) * (
                self.image < 3 * person.lung
            )
        angle, width, brightness = person.fat_on_heart
        away = (self.angle - angle + math.pi) % (2 * math.pi) - math.pi
        thick = _soft(self.outside + 6, 1.5) * np.exp(-((away / width) ** 2)) * brightness
        self.image = self.image + thick * np.maximum(person.fat - self.image, 0)

    def draw_right_ventricle(self):
        """Draw an ellipse of blood behind the ring, with a thin wall and a rough inside."""
        person = self.person
        angle, length, width = person.right
        c, s = math.cos(angle), math.sin(angle)
        x, y = self.x - 1.02 * c * self.outer, self.y - 1.02 * s * self.outer
        size = (0.55 * self.wide + 0.45 * self.radius + 2) * max(
            0.25, 1 - 0.75 * max(0, self.height)
        )
        inside = (1 - np.hypot((c * x + s * y) / length, (c * y - s * x) / width) / size) * size
        self.paint(_soft(inside + 2.2), 1.1 * person.muscle)
        self.paint(_soft(inside), person.blood * (0.95 + 0.1 * math.sin(person.texture)))
        rough = np.clip(self.middle - 0.5 - 0.08 * inside, 0, 1)
        self.paint(0.8 * _soft(inside) * rough, person.muscle)

    def draw_left_ventricle(self):
        """Draw the ring of muscle, the blood in it, and the papillary muscles."""
        person = self.person
        self.paint(0.35 * _soft(self.outside + 0.8), person.lung + 0.06)
        self.paint(_soft(self.outside), person.muscle * (1 + 0.08 * self.fine))
        blood = _soft(self.inside + 0.15)
        flow = _blurred(self.rng.standard_normal((GRID, GRID), np.float32), 5) * 4.8
        self.paint(blood, person.blood * (1 + person.flow * flow))
        if self.height < 0.75:
            for angle, place, radius, length, darkness in person.papillary.tolist():
                c, s = math.cos(angle), math.sin(angle)
                x, y = self.x - c * place * self.radius, self.y - s * place * self.radius
                size = radius * (0.55 * self.wide + 0.45 * self.radius)
                inside = size - np.hypot((c * x + s * y) / length, (c * y - s * x) * length)
                self.paint(
                    darkness * _soft(inside + 0.8 * self.middle, 0.8) * blood, 1.1 * person.muscle
                )
        rim = np.exp(-((self.inside / (2 + 5 * person.trabeculae)) ** 2)) * person.trabeculae
        self.paint(2.2 * rim * np.clip(0.8 * self.middle + 0.2, 0, 1) * blood, person.muscle)


def _received(person, image, noise, rng):
    """Return the picture as the scanner gives it: uneven, a little blurred, noisy, stretched."""
    angle, strength = person.coil
    towards = (math.cos(angle) * _COLUMNS + math.sin(angle) * _ROWS) / (GRID / 2)
    image = _blurred(image * np.exp(0.45 * strength * towards), 0.6)
    if noise:
        # The scanner measures real and imaginary part, each with its noise, and shows the length.
        spread = 0.8 * noise * float(image.max())
        real, imaginary = spread * rng.standard_normal((2, GRID, GRID), np.float32)
        image = np.hypot(image + real, imaginary)
    black, white = np.percentile(image, (1, 99))
    return np.clip((image - black) / (white - black), 0, 1).astype(np.float32)


@lru_cache(maxsize=8)
def _grain(seed):
    """Return noise of three widths: it is fixed to the body, and the same in all its pictures."""
    rng = checks.generator("seed", seed)
    return tuple(
        _blurred(rng.normal(size=(GRID, GRID)), width) * width * 3.5 for width in (1, 2, 3)
    )


def _soft(depth, width=0.7):
    """Return 1 well inside a contour, 0 well outside, and in between a slope."""
    return 1 / (1 + np.exp(np.clip(-depth / width, -30, 30)))


def _blurred(image, width):
    """Return the picture with every point spread to a bell of this width."""
    bell = np.exp(-2 * math.pi**2 * width**2 * _FREQUENCIES)
    return np.fft.irfft2(np.fft.rfft2(image) * bell, s=(GRID, GRID)).astype(np.float32)


def _averaged(image, size):
    """Return the means over squares of points."""
    step = GRID // size
    return image.reshape(size, step, size, step).mean(axis=(1, 3))
