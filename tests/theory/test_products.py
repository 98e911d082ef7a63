"""Products of random factors: their growth is what theory says, within the error of the sample."""

import math

import numpy as np
import pytest

from explorer.theory.products import (
    FACTORS,
    LN10,
    MOST,
    Products,
    digamma,
    followed,
    matrix_rate,
    product_rows,
)

MATRIX = Products(factor="Gaussian matrix")


def trigamma(x):
    """The derivative of psi, by its series: the variance of the logarithm of a gamma number of shape x."""
    k = np.arange(100_000)
    return float((1 / (x + k) ** 2).sum() + 1 / (x + 100_000 - 0.5))


def test_digamma_is_the_mean_of_the_logarithm_of_a_gamma_number():
    rng = np.random.default_rng(0)
    for x in (0.5, 1.0, 1.5, 2.0, 8.0):
        sample = np.log(rng.gamma(x, size=100_000))
        assert abs(sample.mean() - digamma(x)) < 4 * sample.std() / math.sqrt(sample.size)
    # FindingCache values: -gamma, and 3/2 - gamma.
    assert digamma(1.0) == pytest.approx(-0.57721566490153, abs=1e-13)
    assert digamma(3.0) == pytest.approx(1.5 - 0.57721566490153, abs=1e-13)


@pytest.mark.parametrize("width", [1, 2, 4, 16])
@pytest.mark.parametrize("mean", [0.5, 1.0, 2.0])
def test_products_of_gaussian_matrices_grow_by_the_exact_lyapunov_exponent(width, mean):
    about = Products(factor="Gaussian matrix", width=width, mean=mean)
    growth = followed(about).product[:, -1] * LN10 / MOST
    # Steps are independent, each of variance trigamma(width/2)/4.
    error = math.sqrt(trigamma(width / 2) / 4 / MOST / growth.size)
    assert about.rate == matrix_rate(width, mean**2 / width)
    assert abs(growth.mean() - about.rate) < 4 * error
    assert growth.std() == pytest.approx(error * math.sqrt(growth.size), rel=0.2)


def test_the_norms_are_those_of_the_matrix_products_themselves():
    rng, width = np.random.default_rng(7), 4
    product = np.broadcast_to(np.eye(width), (400, width, width))
    skips = sums = product
    for _ in range(3):
        g = rng.normal(0.0, 1 / math.sqrt(width), (400, width, width))
        product, skips, sums = g @ product, skips + g @ skips, sums + g
    paths = followed(MATRIX)
    for kept, matrices in ((paths.product, product), (paths.skip, skips), (paths.sum, sums)):
        np.testing.assert_allclose(kept[:, 3], np.log10(np.linalg.norm(matrices[:, :, 0], axis=1)), atol=1e-12)


NUMBERS = [name for name, entry in FACTORS.items() if entry.draw is not None]


@pytest.mark.parametrize("name", NUMBERS)
@pytest.mark.parametrize(("mean", "spread"), [(1.0, 1.0), (0.5, 0.25), (2.0, 2.0)])
def test_the_logarithm_of_a_product_grows_by_its_mean_per_factor(name, mean, spread):
    about = Products(factor=name, mean=mean, spread=spread)
    growth = followed(about).product[:, -1] * LN10 / MOST
    assert abs(growth.mean() - about.rate) < 4 * growth.std() / math.sqrt(growth.size)


@pytest.mark.parametrize("name", NUMBERS)
def test_without_spread_all_paths_are_one(name):
    about = Products(factor=name, mean=0.5, spread=0.0)
    np.testing.assert_allclose(followed(about).product, np.arange(MOST + 1) * math.log10(0.5) * np.ones((2000, 1)))
    assert about.rate == pytest.approx(math.log(0.5))


@pytest.mark.parametrize("name", FACTORS)
def test_neither_skips_nor_sums_of_factors_that_are_not_negative_vanish(name):
    about = Products(factor=name, mean=0.25)
    paths = followed(about)
    assert np.median(paths.product[:, -1]) < -3
    if about.entry.draw is not None:
        assert paths.skip.min() >= 0
        assert paths.sum.min() >= 0
    assert np.median(paths.skip[:, -1]) > 0
    assert product_rows(about)[-1]["share below 1e-3"] > 0.95


def test_what_a_link_asks_for_is_checked_and_bounded():
    for wrong in ({"mean": 1e9}, {"width": 4096}, {"spread": float("nan")}, {"factor": "dice"}):
        with pytest.raises(ValueError, match=next(iter(wrong))):
            Products(**wrong)
