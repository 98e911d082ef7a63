"""What is downloaded: pictures of exactly 1920 x 1080, with names that tell what they show."""

import struct
from pathlib import Path

import pytest

from explorer.ui.link import SCHEMA


def download(screen, press):
    with screen.page.expect_download(timeout=30_000) as waiting:
        press()
    got = waiting.value
    return got.suggested_filename, Path(got.path()).read_bytes()


def png_size(content):
    assert content[:8] == b"\x89PNG\r\n\x1a\n"
    return struct.unpack(">II", content[16:24])


@pytest.fixture
def exported(reading):
    return reading(depth=5, skip="one layer", epochs=50)


@pytest.mark.long  # of Time's figures in every run, in test_sharing
def test_the_png_button_gives_a_picture_of_1920_by_1080(exported):
    name, content = exported.saved("PNG")
    assert png_size(content) == (1920, 1080)
    assert name.endswith(".png")
    assert "depth-5" in name
    assert "skip-one-layer" in name


@pytest.mark.long
def test_the_svg_button_gives_a_picture_with_words_settings_and_link(exported):
    name, content = exported.saved("SVG")
    text = content.decode()
    assert name.endswith(".svg")
    assert 'width="1920"' in text[:500]
    assert 'height="1080"' in text[:500]
    assert "5 hidden layers of 4 sigmoid" in text
    assert "skip=one" in text
    assert f"v={SCHEMA}" in text


def test_the_charts_own_camera_gives_the_same_size_and_name(exported):
    exported.page.locator(".js-plotly-plot:visible").first.hover()
    camera = exported.page.locator("[data-title='Download plot as a PNG']:visible").first
    name, content = download(exported, camera.click)
    assert png_size(content) == (1920, 1080)
    assert "depth-5" in name
