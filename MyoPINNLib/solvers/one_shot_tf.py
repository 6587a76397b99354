"""The one-shot solver's arithmetic (profiled.py) in TensorFlow, float64: for a GPU. The steps' bookkeeping stays with NumPy."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from .profiled import Space

SPACE = Space(
    array=lambda values: tf.convert_to_tensor(np.asarray(values)),
    numpy=lambda values: values.numpy(),
    exp=tf.exp,
    concat=tf.concat,
    take=tf.gather,
    factor=tf.linalg.cholesky,
    solve=tf.linalg.cholesky_solve,
    transpose=tf.transpose,
    reshape=tf.reshape,
    sum=tf.reduce_sum,
)
