"""The options that say where, and in which type of numbers, a model runs."""

import argparse


def add_device_options(parser: argparse.ArgumentParser) -> None:
    """Add `--device` and `--precision`."""
    parser.add_argument(
        "--device",
        default="cpu",
        metavar="NAME",
        help="cpu, cuda, cuda:N, mps, or auto: a GPU where there is one; PyTorch runs it (default: %(default)s)",
    )
    parser.add_argument(
        "--precision",
        default="float32",
        choices=("float32", "bfloat16", "float16"),
        help="of the vocoder in PyTorch; on a GPU, the half ones use its fastest units (default: %(default)s)",
    )
