"""Reproducible variety: the same words give the same dice."""

import random


def chance(*words: object) -> random.Random:
    return random.Random("\0".join(str(word) for word in words))  # noqa: S311 - variety, not secrecy
