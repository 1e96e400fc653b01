"""`glowvox pack`: prepared data becomes shards, from which a cluster can train."""

import argparse
import json
from pathlib import Path

from glowvox.cli.number_options import finite_number
from glowvox.cli.progress import Progress

SUMMARY = "pack prepared data into shards for training on many machines"
EXAMPLE = """\
The shards are tar files in the form of WebDataset, in a folder or in object storage; 'glowvox train --data' takes
their place as it takes a folder of prepared data, and fetches shards as they are needed.

examples:
  glowvox prepare recordings/ -o data/
  glowvox pack data/ -o s3://bucket/data
  torchrun --nnodes 2 --nproc-per-node 8 ... -m -- glowvox train vocoder --data s3://bucket/data --preset ... --run ...
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("data", type=Path, help="what 'glowvox prepare' wrote")
    parser.add_argument("-o", "--output", required=True, metavar="PLACE", help="folder or fsspec address of the shards")
    parser.add_argument(
        "--shard-mb", type=finite_number, default=256.0, metavar="MB", help="size of a shard (default: 256)"
    )
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="of the order of the clips (default: 0)")
    parser.add_argument("--json", action="store_true", help="print what was written as JSON")


def run(args: argparse.Namespace) -> int:
    """Pack, and say what was written."""
    from glowvox.data.prepared import PreparedData
    from glowvox.data.shards_pack import pack_shards
    from glowvox.errors import ConfigError, counted

    if args.seed < 0:
        raise ConfigError(f"--seed must not be negative, got {args.seed}")
    data = PreparedData(args.data)
    index = pack_shards(data, args.output, megabytes=args.shard_mb, seed=args.seed, on_progress=Progress("clips"))
    size = sum(shard.bytes for shard in index.shards)
    told = {
        "output": args.output,
        "shards": len(index.shards),
        "bytes": size,
        "clips": {split: len(data.clips(split)) for split in ("train", "validation")},
    }
    if args.json:
        print(json.dumps(told, indent=2))
    else:
        print(f"{args.output}: {counted(len(index.shards), 'shard')}, {size / 1e6:.1f} MB")
        print(f"next: glowvox train acoustic --preset glow-tts-small --data {args.output} --run runs/acoustic")
    return 0
