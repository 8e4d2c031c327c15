"""Hearts: drawn, from one file, and in the layout in which the real ones were published."""

import re
import shutil
import sys

import numpy as np
import pytest

from convbook.datasets import heart, sunnybrook

KEYS = sunnybrook.KEYS


@pytest.fixture(scope="module")
def drawn():
    return heart(patients=5, slices=2, rng=1)


# --- Drawn ones ----------------------------------------------------------------------------------


def test_drawn_hearts(drawn):
    assert repr(drawn) == "HeartSet(20 pictures of 64×64, 5 patients)"
    assert drawn.x.shape == drawn.cavity.shape == drawn.muscle.shape == (20, 1, 64, 64)
    assert drawn.x.dtype == np.float32 and drawn.cavity.dtype == np.uint8
    assert drawn.diastole.sum() == 10 and drawn.outlined.all()
    again = heart(patients=5, slices=2, rng=1)
    np.testing.assert_array_equal(drawn.x, again.x)
    assert drawn.names[4] == "phantom 5"


def test_the_classes_of_pixels(drawn):
    classes = drawn.classes
    assert classes.shape == (20, 64, 64)
    np.testing.assert_array_equal(classes == 1, drawn.cavity[:, 0] == 1)
    np.testing.assert_array_equal(classes == 2, drawn.muscle[:, 0] == 1)
    assert set(np.unique(classes)) == {0, 1, 2}


def test_a_split_keeps_patients_apart(drawn):
    for seed in range(5):
        train, test = drawn.split(2, rng=seed)
        assert len(train) == 12 and len(test) == 8
        assert not set(train.patients) & set(test.patients)
    assert set(drawn.split(2, rng=0)[1].patients) != set(drawn.split(2, rng=1)[1].patients) or (
        set(drawn.split(2, rng=2)[1].patients) != set(drawn.split(2, rng=0)[1].patients)
    )


@pytest.mark.parametrize(
    ("test", "error", "said"),
    [
        (5, ValueError, "test must be fewer than the 5 patients"),
        (0, ValueError, "test must be an integer of at least 1, got 0"),
        (0.2, TypeError, "test must be an integer of at least 1, got 0.2"),
    ],
)
def test_a_split_that_cannot_be(drawn, test, error, said):
    with pytest.raises(error, match=said):
        drawn.split(test)


def test_ejection_fractions(drawn):
    truth = drawn.ejection_fractions()
    assert truth.shape == (5,) and ((truth > 0.05) & (truth < 0.85)).all()
    masks = drawn.cavity.copy()
    masks[~drawn.diastole] = 0  # nothing is left: all the blood was pushed out
    np.testing.assert_array_equal(drawn.ejection_fractions(masks), 1)
    np.testing.assert_array_equal(drawn.ejection_fractions(masks[:, 0] > 0), 1)
    assert np.isnan(drawn.ejection_fractions(np.zeros_like(masks))).all()
    assert np.isnan(drawn.take(drawn.diastole).ejection_fractions()).all()


def test_volumes_of_areas_by_hand(drawn):
    one = drawn.of([2])
    wide = one.cavity[one.diastole].sum()
    narrow = one.cavity[~one.diastole].sum()
    assert one.ejection_fractions() == pytest.approx(1 - narrow / wide)


@pytest.mark.parametrize(
    ("masks", "said"),
    [
        (lambda m: m[:3], r"masks must have shape \(20, 1, 64, 64\)"),
        (lambda m: 255 * m, "masks must be True or 1 inside.*got uint8 from 0 to 255"),
        (lambda m: m * 0.7, "masks must be True or 1 inside.*probabilities become a mask by > 0.5"),
    ],
)
def test_areas_of_what_is_no_mask(drawn, masks, said):
    with pytest.raises(ValueError, match=said):
        drawn.areas(masks(drawn.cavity))


def test_numbers_that_draw_nothing():
    for name in ("patients", "slices"):
        with pytest.raises(ValueError, match=f"{name} must be an integer of at least 1, got 0"):
            heart(**{name: 0})


# --- One file ------------------------------------------------------------------------------------


def arrays_of(
    hearts,
):
    """The arrays of the small file's format."""
    outer = (hearts.cavity | hearts.muscle)[:, 0] * hearts.diastole[:, None, None]
    return {
        "x": np.rint(255 * hearts.x[:, 0]).astype(np.uint8),
        "endo": np.packbits(hearts.cavity[:, 0], axis=-1),
        "epi": np.packbits(outer.astype(np.uint8), axis=-1),
        "patient": hearts.patient.astype(np.uint8),
        "slice": hearts.slice.astype(np.uint8),
        "frame": hearts.frame.astype(np.uint8),
        "ed": hearts.diastole.astype(np.uint8),
        "names": np.array(hearts.names),
    }


@pytest.fixture
def small_file(drawn, tmp_path):
    np.savez_compressed(tmp_path / "hearts.npz", **arrays_of(drawn))
    return tmp_path / "hearts.npz"


def test_one_file(drawn, small_file):
    for place in (small_file, str(small_file), small_file.parent):
        read = heart(folder=place)
        np.testing.assert_array_equal(read.cavity, drawn.cavity)
        np.testing.assert_allclose(read.x, drawn.x, atol=0.5 / 255 + 1e-6)
        np.testing.assert_array_equal(read.outlined, drawn.diastole)
        np.testing.assert_array_equal(read.muscle[read.outlined], drawn.muscle[drawn.diastole])
        np.testing.assert_allclose(read.ejection_fractions(), drawn.ejection_fractions())


def test_where_no_outer_contour_was_drawn_the_background_is_unknown(small_file):
    read = heart(folder=small_file)
    narrow = read.classes[~read.outlined]
    assert set(np.unique(narrow)) == {1, 255}
    assert set(np.unique(read.classes[read.outlined])) == {0, 1, 2}


def rewritten(path, **changes):
    with np.load(path) as file:
        arrays = dict(file)
    for name, change in changes.items():
        if change is None:
            del arrays[name]
        else:
            arrays[name] = change(arrays[name])
    np.savez_compressed(path, **arrays)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"endo": None}, "it holds no endo"),
        ({"x": None, "names": None}, "it holds no x, names"),
        ({"x": lambda a: a.astype(np.float32)}, "x must be .* of uint8"),
        ({"x": lambda a: a[:, :, :60]}, "x must be .* W a multiple of 8, got shape"),
        ({"x": lambda a: a[:0]}, "x must be .* N at least 1"),
        ({"epi": lambda a: np.unpackbits(a, axis=-1)}, "epi must be .* packed by numpy.packbits"),
        ({"endo": lambda a: a[:-1]}, "endo must be"),
        ({"patient": lambda a: a[:-1]}, r"patient must be \(20,\) of whole numbers"),
        ({"ed": lambda a: a / 2}, "ed must be .* of whole numbers"),
        ({"patient": lambda a: a + 9}, "patient must be below the number of names, 5, got 13"),
        ({"names": lambda a: np.arange(5)}, "names must be a row of texts"),
    ],
)
def test_a_file_that_is_wrong_inside(small_file, changes, said):
    rewritten(small_file, **changes)
    with pytest.raises(ValueError, match=f"hearts.npz.* is not a file of hearts.*{said}"):
        heart(folder=small_file)


@pytest.mark.parametrize("kept", (0, 10, 0.5, 0.98))
def test_a_file_that_was_cut_off(small_file, kept):
    content = small_file.read_bytes()
    small_file.write_bytes(content[: int(kept * len(content)) if kept < 1 else kept])
    with pytest.raises(ValueError, match="is not a file of hearts as convbook reads it, or is bro"):
        heart(folder=small_file)


def test_a_file_of_something_else(tmp_path):
    (tmp_path / "hearts.npz").write_text("<html>404</html>")
    with pytest.raises(ValueError, match="is not a file of hearts"):
        heart(folder=tmp_path / "hearts.npz")


def test_no_file_at_all(tmp_path):
    with pytest.raises(FileNotFoundError, match="folder must be an existing folder or an .npz"):
        heart(folder=tmp_path / "nowhere")
    with pytest.raises(FileNotFoundError, match="SCD_ManualContours and SCD_IMAGES_01.*neither"):
        heart(folder=tmp_path)
    for name in "ab":
        np.savez(tmp_path / f"{name}.npz", x=np.zeros(3))
    with pytest.raises(FileNotFoundError, match="there is 2 .npz files|2 .npz files"):
        heart(folder=tmp_path)


# --- As they were published ----------------------------------------------------------------------

NUMBERS = {"SC-HF-I-01": "SCD0000101", "SC-N-40": "SCD0004501"}
SIZE = 256


def dicom(path, pixels):
    """Write a DICOM file, as a scanner does."""
    pydicom = pytest.importorskip("pydicom")
    from pydicom.dataset import FileDataset, FileMetaDataset
    from pydicom.uid import ExplicitVRLittleEndian, MRImageStorage, generate_uid

    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = MRImageStorage
    meta.MediaStorageSOPInstanceUID = generate_uid()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    file = FileDataset(path, {}, file_meta=meta, preamble=b"\0" * 128)
    file.SOPClassUID, file.SOPInstanceUID = MRImageStorage, meta.MediaStorageSOPInstanceUID
    file.Modality = "MR"
    file.Rows, file.Columns = pixels.shape
    file.SamplesPerPixel, file.PhotometricInterpretation = 1, "MONOCHROME2"
    file.BitsAllocated, file.BitsStored, file.HighBit, file.PixelRepresentation = 16, 12, 11, 0
    file.PixelData = pixels.astype("<u2").tobytes()
    pydicom.dcmwrite(path, file, enforce_file_format=True)


def circle(radius, x=128.0, y=120.0):
    """The text of a contour file: points in half steps."""
    turn = np.linspace(0, 2 * np.pi, 90, endpoint=False)
    points = np.column_stack([x + radius * np.cos(turn), y + radius * np.sin(turn)])
    return "".join(f"{a:.2f} {b:.2f}\n" for a, b in np.rint(2 * points) / 2)


def disc(radius, x=128.0, y=120.0):
    rows, columns = np.mgrid[0:SIZE, 0:SIZE]
    return np.hypot(columns - x, rows - y) < radius


@pytest.fixture
def folder(tmp_path):
    """Two patients, each with two slices at two moments; the second has a slice without systole."""
    for i, (name, number) in enumerate(NUMBERS.items()):
        pictures = tmp_path / f"SCD_IMAGES_0{1 + 4 * i}" / number / f"CINESAX_{300 + i}"
        contours = tmp_path / "SCD_ManualContours" / name / "contours-manual" / "IRCCI-expert"
        pictures.mkdir(parents=True)
        contours.mkdir(parents=True)
        for slice_ in (1, 2):
            for frame, radius in ((0, 30), (8, 20)):
                number = 20 * slice_ + frame + 1
                pixels = 100 + 800 * disc(radius) + 5 * slice_ + np.arange(SIZE) % 7
                dicom(pictures / f"IM-000{3 + i}-{number:04}.dcm", pixels)
                if i == slice_ - 1 == 1 and frame == 8:
                    continue
                text = contours / f"IM-0001-{number:04}-icontour-manual.txt"
                text.write_text(circle(radius))
                if frame == 0:
                    outer = contours / f"IM-0001-{number:04}-ocontour-manual.txt"
                    outer.write_text(circle(radius + 12))
    return tmp_path


def test_the_published_layout(folder):
    hearts = heart(folder=folder)
    assert hearts.names == tuple(NUMBERS)
    assert len(hearts) == 7 and hearts.x.shape == (7, 1, 64, 64)
    np.testing.assert_array_equal(hearts.patient, [0, 0, 0, 0, 1, 1, 1])
    np.testing.assert_array_equal(hearts.slice, [1, 1, 2, 2, 1, 1, 2])
    np.testing.assert_array_equal(hearts.frame, [0, 8, 0, 8, 0, 8, 0])
    np.testing.assert_array_equal(hearts.diastole, hearts.frame == 0)
    np.testing.assert_array_equal(hearts.outlined, hearts.diastole)


def test_pictures_and_contours_lie_upon_each_other(folder):
    hearts = heart(folder=folder)
    for i, radius in ((0, 30), (1, 20)):
        middle = disc(radius)[64:192, 64:192].reshape(64, 2, 64, 2).mean((1, 3)) >= 0.5
        assert (hearts.cavity[i, 0] != middle).mean() < 0.005
        assert hearts.x[i, 0][hearts.cavity[i, 0] == 1].mean() > 0.9
        assert hearts.x[i, 0][hearts.cavity[i, 0] == 0].mean() < 0.1
    assert hearts.cavity[0].sum() == pytest.approx(np.pi * 15**2, rel=0.03)
    assert hearts.muscle[0].sum() == pytest.approx(np.pi * (21**2 - 15**2), rel=0.03)
    assert hearts.ejection_fractions()[0] == pytest.approx(1 - (20 / 30) ** 2, abs=0.02)


def test_without_outer_contours_the_widest_moment_counts(folder):
    for path in folder.rglob("*ocontour*"):
        path.unlink()
    hearts = heart(folder=folder)
    np.testing.assert_array_equal(hearts.diastole, hearts.frame == 0)
    assert not hearts.outlined.any() and not hearts.muscle.any()


def test_several_series_of_a_patient(folder):
    other = folder / "SCD_IMAGES_01" / "SCD0000101" / "CINESAX_2"
    other.mkdir()
    shutil.copy(next(folder.rglob("IM-0003-0021.dcm")), other / "IM-0009-0001.dcm")
    assert len(heart(folder=folder)) == 7


def one(folder, pattern):
    return sorted(folder.rglob(pattern))[0]


FAULTS = {
    "a picture is missing": (
        lambda f: one(f, "IM-0003-0021.dcm").unlink(),
        FileNotFoundError,
        "SC-HF-I-01 has a contour of picture 0021, and there is no .*0021.dcm.*1 of 4 are missing",
    ),
    "a patient's pictures are missing": (
        lambda f: shutil.rmtree(f / "SCD_IMAGES_05"),
        FileNotFoundError,
        "the pictures of SC-N-40 are missing: there is no SCD_IMAGES_.*/SCD0004501",
    ),
    "a picture was cut off": (
        lambda f: one(f, "*.dcm").write_bytes(one(f, "*.dcm").read_bytes()[:9000]),
        ValueError,
        "IM-0003-0021.dcm' is not a DICOM picture, or is cut off",
    ),
    "a picture is empty": (
        lambda f: one(f, "*.dcm").write_bytes(b""),
        ValueError,
        "is not a DICOM picture, or is cut off",
    ),
    "a picture is something else": (
        lambda f: one(f, "*.dcm").write_text("Not found"),
        ValueError,
        "is not a DICOM picture, or is cut off",
    ),
    "a picture is too small": (
        lambda f: dicom(one(f, "*.dcm"), np.zeros((100, 256), int)),
        ValueError,
        r"at least 128 × 128 pixels, got shape \(100, 256\)",
    ),
    "a contour is empty": (
        lambda f: one(f, "*icontour*").write_text(""),
        ValueError,
        "0021-icontour-manual.txt' must hold the points of a contour",
    ),
    "a contour was cut off": (
        lambda f: one(f, "*icontour*").write_text(circle(30)[:700]),
        ValueError,
        'a line "x y" for each: its end is far from where it began, so it may have been cut off',
    ),
    "a contour has too few points": (
        lambda f: one(f, "*ocontour*").write_text("10 10\n20 20\n"),
        ValueError,
        "fewer than three points",
    ),
    "a contour is text": (
        lambda f: one(f, "*icontour*").write_text("x y\n1 2\n3 4\n"),
        ValueError,
        "must hold the points of a contour",
    ),
    "a contour is binary": (
        lambda f: one(f, "*icontour*").write_bytes(bytes(range(256))),
        ValueError,
        "must hold the points of a contour",
    ),
    "a contour is not a number": (
        lambda f: one(f, "*icontour*").write_text("nan 1\n2 2\n3 1\n"),
        ValueError,
        "points outside the picture of 256 × 256 pixels",
    ),
    "a contour is elsewhere": (
        lambda f: one(f, "*icontour*").write_text(circle(30, x=300)),
        ValueError,
        "points outside the picture of 256 × 256 pixels",
    ),
    "a patient who is none": (
        lambda f: (f / "SCD_ManualContours/SC-N-40").rename(f / "SCD_ManualContours/SC-N-99"),
        ValueError,
        "SC-N-99' is none of the 45 patients",
    ),
    "there are no contours": (
        lambda f: [path.unlink() for path in f.rglob("*contour-manual.txt")],
        FileNotFoundError,
        "must hold contours, such as SC-HF-I-01/contours-manual/IRCCI-expert",
    ),
}


@pytest.mark.parametrize("spoil, error, said", FAULTS.values(), ids=FAULTS)
def test_faults_are_named(folder, spoil, error, said):
    spoil(folder)
    with pytest.raises(error, match=said):
        heart(folder=folder)


def test_without_pydicom_a_sentence_says_how_to_get_it(folder, monkeypatch):
    monkeypatch.setitem(sys.modules, "pydicom", None)
    with pytest.raises(ImportError, match=re.escape('pip install "convbook[heart]"')):
        heart(folder=folder)
    assert len(heart(patients=1, slices=1)) == 2  # which needs none


def test_all_patients_have_a_number_of_their_own():
    numbers = sunnybrook.FOLDERS
    assert len(numbers) == len(set(numbers.values())) == 45
    assert numbers["SC-HF-I-04"] == "SCD0000301" and numbers["SC-N-40"] == "SCD0004501"
