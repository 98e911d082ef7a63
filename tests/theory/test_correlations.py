"""Expectations over correlated pairs against closed forms and ordinary two-dimensional quadrature."""

import math

import numpy as np
import pytest

from explorer.choices.activations import ACTIVATIONS
from explorer.theory.correlations import SamplePairs, joint_expectation
from explorer.theory.moments import normal_nodes

CORRELATIONS = [-1.0, -0.9, -0.3, 0.0, 0.5, 0.9, 0.99, 0.999, 1.0]


def _joint(first, second, correlation):
    """E g(z) h(z') of the one pair of two different functions."""
    pairs = SamplePairs.all(2)
    z, _ = normal_nodes()
    return joint_expectation(np.array([first(z), second(z)]), pairs, np.array([1.0, 1.0, correlation]))[-1]


@pytest.mark.parametrize("c", CORRELATIONS)
def test_relu_pairs_have_the_arc_cosine_kernel(c):
    # Cho & Saul 2009, eqs. 1 and 3.
    angle = math.acos(c)
    kernel = (math.sin(angle) + (math.pi - angle) * c) / (2 * math.pi)
    assert _joint(lambda z: np.maximum(z, 0), lambda z: np.maximum(z, 0), c) == pytest.approx(kernel, abs=2e-4)
    steps = (math.pi - angle) / (2 * math.pi)
    assert _joint(lambda z: (z > 0) * 1.0, lambda z: (z > 0) * 1.0, c) == pytest.approx(steps, abs=6e-3)


@pytest.mark.parametrize("c", CORRELATIONS)
def test_smooth_pairs_agree_with_two_dimensional_quadrature(c):
    node, weight = np.polynomial.hermite_e.hermegauss(80)
    weight = weight / weight.sum()
    other = c * node[:, None] + math.sqrt(1 - c * c) * node
    expected = weight @ (np.tanh(1.3 * node)[:, None] * np.exp(-(other**2))) @ weight
    assert _joint(lambda z: np.tanh(1.3 * z), lambda z: np.exp(-z * z), c) == pytest.approx(expected, abs=1e-7)
    expected = weight @ (np.logaddexp(0, node)[:, None] * np.logaddexp(0, 2 * other)) @ weight
    softplus = ACTIVATIONS["softplus"].f
    doubled = _joint(lambda z: softplus(z, np.empty_like(z)), lambda z: softplus(2 * z, np.empty_like(z)), c)
    assert doubled == pytest.approx(expected, abs=1e-5)


def test_pairs_lay_out_as_a_symmetric_matrix():
    pairs = SamplePairs.all(3)
    points = np.array([[1.0, 0.0], [0.0, 2.0], [3.0, 4.0]])
    product = np.einsum("pf,pf->p", points[pairs.first], points[pairs.second])
    assert np.array_equal(pairs.matrix(product), points @ points.T)
    assert pairs.matrix(pairs.correlation(product))[2].tolist() == [0.6, 0.8, 1.0]
