"""Correlations of pairs of samples: inner products, correlations, and expectations over two correlated normal variables.

What a wide net does to two samples is an integral over two correlated normal variables. Hermite coefficients turn it into
a short sum, so that all pairs of a small data set pass fifty layers in a few milliseconds.
"""

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from explorer.choices.arrays import Array
from explorer.theory.moments import normal_nodes

Indices = NDArray[np.intp]

# Terms of Mehler's series; `_rest` corrects for the remainder.
_TERMS = 40


@dataclass(frozen=True)
class SamplePairs:
    """Pairs of samples: pair p is `first[p]` and `second[p]`; the first `count` pairs are a sample with itself."""

    count: int
    first: Indices
    second: Indices

    @classmethod
    def all(cls, count: int) -> "SamplePairs":
        """Pair every sample with itself, then with every later one."""
        first, second = np.triu_indices(count, 1)
        sample = np.arange(count)
        return cls(count, np.concatenate([sample, first]), np.concatenate([sample, second]))

    def correlation(self, product: Array) -> Array:
        """Return cosines of all pairs from their inner products; 0 where a sample is 0."""
        length = np.sqrt(product[: self.count])
        lengths = length[self.first] * length[self.second]
        with np.errstate(invalid="ignore"):
            cosine = np.divide(product, lengths, out=np.zeros_like(product), where=lengths > 0)
        bounded: Array = np.minimum(np.maximum(cosine, -1.0), 1.0)
        return bounded

    def outer(self, values: Array) -> Array:
        """Return, for each pair, the product of the two samples' values."""
        product: Array = values[self.first] * values[self.second]
        return product

    def matrix(self, values: Array) -> Array:
        """Arrange the values of all pairs as a symmetric matrix."""
        full = np.zeros((self.count, self.count))
        full[self.first, self.second] = full[self.second, self.first] = values
        return full


@lru_cache(maxsize=1)
def _weighted_hermite() -> Array:
    # Row k: the orthonormal Hermite polynomial He_k / sqrt(k!) at the nodes, times the weights.
    z, w = normal_nodes()
    rows = [np.ones_like(z), z]
    for k in range(1, _TERMS - 1):
        rows.append((z * rows[k] - math.sqrt(k) * rows[k - 1]) / math.sqrt(k + 1))
    return np.array(rows) * w


@lru_cache(maxsize=1)
def _rest() -> tuple[Array, Array]:
    # Terms of a kink or step fall like k^-3/2; their sum from _TERMS on, as a share of that at correlation 1.
    c = 1 - np.geomspace(1.0, 1e-6, 200)
    k = np.arange(_TERMS, 40 * _TERMS)
    falling = k**-1.5
    return np.append(c, 1.0), np.append((c[:, None] ** k) @ falling / falling.sum(), 1.0)


@lru_cache(maxsize=1)
def _signs() -> Array:
    # The nodes are symmetric: a negative correlation is a positive one with g_t mirrored.
    signs: Array = np.where(np.arange(_TERMS) % 2, -1.0, 1.0)
    return signs


def joint_expectation(values: Array, pairs: SamplePairs, correlation: Array) -> Array:
    """Return E g_s(z) g_t(z') for every pair, z and z' standard normal with the pair's correlation.

    `values`, (..., samples, nodes), are g_s at `normal_nodes`, of one function or several. By Mehler's formula the
    expectation is the sum over k of correlation^k times the k-th Hermite coefficients of both. For kinks the series converges
    slowly near correlation 1, where the whole sum is known; that fixes the remainder.
    """
    _, weight = normal_nodes()
    coefficient = values @ _weighted_hermite().T
    mirrored, size = correlation < 0, np.abs(correlation)
    terms = coefficient[..., pairs.first, :] * coefficient[..., pairs.second, :]
    terms[..., mirrored, :] *= _signs()
    straight = (values * weight) @ values.swapaxes(-1, -2)
    whole = straight[..., pairs.first, pairs.second]
    if mirrored.any():
        crossed = (values * weight) @ values[..., ::-1].swapaxes(-1, -2)
        whole = np.where(mirrored, crossed[..., pairs.first, pairs.second], whole)
    series = np.einsum("...pk,pk->...p", terms, size[:, None] ** np.arange(_TERMS))
    result: Array = series + (whole - terms.sum(axis=-1)) * np.interp(size, *_rest())
    return result
