"""Drawn hearts: the same from the same seed, masks that fit, and the volume that was asked for."""

import numpy as np
import pytest

from convbook.images import phantom


def drawn(seed, **options):
    person = phantom.patient(seed)
    return person, phantom.frame(person, rng=seed, **options)


def test_the_same_seed_draws_the_same_heart():
    (_, first), (_, second) = drawn(3), drawn(3)
    for a, b in zip(first, second, strict=True):
        np.testing.assert_array_equal(a, b)
    assert (drawn(4)[1][0] != first[0]).any()


@pytest.mark.parametrize("size", (32, 64, 128))
def test_shapes_and_dtypes(size):
    image, cavity, muscle = drawn(1, size=size)[1]
    assert image.shape == cavity.shape == muscle.shape == (size, size)
    assert image.dtype == np.float32 and cavity.dtype == muscle.dtype == bool
    assert 0 <= image.min() < 0.05 and 0.9 < image.max() <= 1


@pytest.mark.parametrize("seed", range(12))
def test_the_cavity_is_bright_in_a_dark_ring(seed):
    person = phantom.patient(seed)
    for phase, height in ((0.0, -0.8), (person.systole, 0.0), (0.7, 0.5)):
        image, cavity, muscle = phantom.frame(person, phase, height, rng=seed, noise=0)
        assert cavity.any() and muscle.any() and not (cavity & muscle).any()
        assert np.median(image[cavity]) > np.median(image[muscle]) + 0.1
        # The ring has no gap: whoever steps out of the cavity steps onto muscle.
        around = np.zeros_like(cavity)
        for axis in (0, 1):
            for step in (-1, 1):
                around |= np.roll(cavity, step, axis)
        assert (muscle | cavity)[around].mean() > 0.97


@pytest.mark.parametrize("seed", range(8))
def test_the_area_shrinks_by_the_ejection_fraction(seed):
    person = phantom.patient(seed)
    wide, narrow = (
        phantom.frame(person, phase, 0.0, rng=0, size=128)[1].sum()
        for phase in (0.0, person.systole)
    )
    assert 1 - narrow / wide == pytest.approx(person.ejection_fraction, abs=0.04)


def test_the_muscle_keeps_its_area_while_it_thickens():
    person = phantom.patient(5)
    rings = [
        np.pi * (outer**2 - inner**2)
        for inner, outer in (phantom.radii(person, phase, 0.2) for phase in np.linspace(0, 1, 9))
    ]
    assert np.ptp(rings) < 1e-6 * rings[0]


def test_a_beat_begins_and_ends_wide_open():
    person = phantom.patient(2)
    assert phantom.openness(person, 0) == phantom.openness(person, 1) == 1
    assert phantom.openness(person, person.systole) == pytest.approx(0, abs=1e-9)
    open_ = [phantom.openness(person, t) for t in np.linspace(0, 0.999, 200)]
    assert np.abs(np.diff(open_)).max() < 0.05 and min(open_) >= 0


def test_patients_differ_and_many_are_ill():
    fractions = [phantom.patient(seed).ejection_fraction for seed in range(200)]
    assert 0.3 < np.mean(np.array(fractions) < 0.5) < 0.5
    radii = [phantom.patient(seed).radius for seed in range(50)]
    assert np.ptp(radii) > 8


def test_what_is_grainy_about_a_body_stays_where_it_is():
    person = phantom.patient(7)
    first, second = (phantom.frame(person, 0.0, 0.0, rng=seed)[0] for seed in (1, 2))
    stranger = phantom.frame(phantom.patient(8), 0.0, 0.0, rng=1)[0]
    assert np.abs(first - second).mean() < 0.5 * np.abs(first - stranger).mean()


@pytest.mark.parametrize(
    ("options", "error", "said"),
    [
        ({"phase": -0.1}, ValueError, "phase must be a number of at least 0"),
        ({"phase": "late"}, TypeError, "phase must be a number"),
        ({"height": 2}, ValueError, "height must be a number of at least -1 and at most 1, got 2"),
        ({"size": 100}, ValueError, "size must be one of 32, 64, 128, got 100"),
        ({"noise": -1}, ValueError, "noise must be a number of at least 0, got -1"),
    ],
)
def test_bad_arguments_are_named(options, error, said):
    with pytest.raises(error, match=said):
        phantom.frame(phantom.patient(0), **options)


def test_a_patient_is_needed():
    with pytest.raises(TypeError, match="person must be a Patient, got 3 of type int"):
        phantom.frame(3)
