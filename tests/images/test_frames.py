"""Frames of a folder: the order of their names, their size, and what is no picture."""

import numpy as np
import pytest

from convbook.images.frames import read_frames

Image = pytest.importorskip("PIL.Image")


def write(path, pixels):
    Image.fromarray(np.asarray(pixels, np.uint8)).save(path)


def test_frames_come_in_the_order_of_their_numbers(tmp_path):
    for number in (10, 2, 1):
        write(tmp_path / f"frame_{number}.png", np.full((8, 8, 3), number))
    (tmp_path / "notes.txt").write_text("no picture")
    frames, names = read_frames(tmp_path, 8)
    assert names == ["frame_1.png", "frame_2.png", "frame_10.png"]
    assert frames.shape == (3, 3, 8, 8) and frames.dtype == np.float32
    np.testing.assert_allclose(frames[:, 0, 0, 0] * 255, [1, 2, 10], atol=1e-4)
    assert read_frames(tmp_path, 8, most=2)[1] == names[:2]


def test_the_middle_is_cut_out_and_averaged(tmp_path):
    pixels = np.zeros((16, 32, 3))
    pixels[:, 8:24] = 200  # the square in the middle
    pixels[:8, 8:16] = 100
    write(tmp_path / "a.png", pixels)
    frames, _ = read_frames(tmp_path, 2)
    np.testing.assert_array_equal(np.rint(frames[0, 0] * 255), [[100, 200], [200, 200]])
    wide, _ = read_frames(tmp_path, (4, 8))
    np.testing.assert_array_equal(wide[0, 1, 3] > 0, [0, 0, 1, 1, 1, 1, 0, 0])


def test_grey_and_transparent_pictures(tmp_path):
    write(tmp_path / "a.png", np.full((6, 6), 51))
    write(tmp_path / "b.png", np.dstack([np.full((6, 6, 3), 102), np.full((6, 6), 255)]))
    frames, _ = read_frames(tmp_path, 3)
    np.testing.assert_allclose(frames[:, :, 1, 1], [[0.2] * 3, [0.4] * 3], atol=1e-6)


def test_bad_input(tmp_path):
    with pytest.raises(FileNotFoundError, match="there is none at"):
        read_frames(tmp_path / "nowhere")
    with pytest.raises(FileNotFoundError, match="ffmpeg"):
        read_frames(tmp_path)
    (tmp_path / "a.png").write_bytes(b"no picture")
    with pytest.raises(ValueError, match=r"a\.png must be a picture"):
        read_frames(tmp_path)
    for size in (0, (3, 3, 3), "large"):
        with pytest.raises((TypeError, ValueError), match="size"):
            read_frames(tmp_path, size)
    with pytest.raises(ValueError, match="most"):
        read_frames(tmp_path, most=0)
