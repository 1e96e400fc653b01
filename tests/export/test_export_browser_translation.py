"""Python in JavaScript: patterns match the same, and what the front end's language can say means the same."""

import os
import re
import subprocess
import sys

import pytest
from node_program import needs_node, run_node

from glowvox.errors import ConfigError
from glowvox.export.browser_front_end import front_end_program
from glowvox.export.js_literals import literal
from glowvox.export.python_to_js import Translation, translate
from glowvox.export.regex_to_js import translated

LIB = ("python", "python_errors", "pattern", "strings", "unicode", "crc32")
PATTERNS = [
    re.compile(r"(?P<a>\d++)(?:[.,](?P<b>\d+))?(?!\w)"),
    re.compile(r"(?:[^\W\d_]\.)+[^\W\d_]"),
    re.compile(r"(?i:str(?:aße|eet))\b|ÄB|[À-Öx]y"),
    re.compile(r"(?<=\w)-(?=\w)|(?<!\w)'|\s+$"),
    re.compile(r"(?P<q>['\"]).*?(?P=q)", re.DOTALL),
    re.compile(r"[^a-c\s]{2,3}|[^.]\.(?!\d)|x(?>a|ab)c"),
    re.compile(r"^\w|\W\Z|\D\S", re.IGNORECASE),
    re.compile(r"[\]\[\\^&|~-]+|[\W_]é"),
]
TEXTS = [
    "12,5 and 1.234x, 77", "U.S.A. or p.o. box; xbc", "STRASSE Straße ÄB äb Èy", "a-b 'tis \u00a0\u2003",
    "say 'no' or \"x\ny\"",
    "xabc xac ab.c z. 9", "é_é -[]^&|~\\ ٣4", "Ǆ ſ 😀😀 naïve\n", "", "\n",
]  # fmt: skip


def with_library(folder):
    from glowvox.export import browser_export

    (folder / "lib").mkdir()
    for name in LIB:
        (folder / "lib" / f"{name}.js").write_bytes((browser_export.SOURCES / "lib" / f"{name}.js").read_bytes())
    return folder


def matches(pattern, text):
    found = [[match.start(), match.end(), list(match.groups())] for match in pattern.finditer(text)]
    first = pattern.match(text, 1)
    return [
        found,
        first and first.group(),
        bool(pattern.fullmatch(text)),
        pattern.split(text),
        pattern.sub(r"<\g<0>>", text),
    ]


@needs_node
def test_patterns_match_the_same(tmp_path):
    program = """
const { regex } = await import("./lib/pattern.js");
const { texts, patterns } = given;
return patterns.map(([source, groups]) => texts.map((text) => {
  const pattern = regex(source, groups);
  const found = pattern.finditer(text).map((match) => [...match.span(), match.groups()]);
  const first = pattern.match(text, 1);
  const all = pattern.sub("<\\\\g<0>>", text);
  return [found, first && first.group(), pattern.fullmatch(text) !== null, pattern.split(text), all];
}));
"""
    # Places beyond the basic plane differ: Python counts characters.
    texts = [text for text in TEXTS if all(ord(sign) < 0x10000 for sign in text)]
    written = [[translated(pattern).source, list(translated(pattern).groups)] for pattern in PATTERNS]
    found = run_node(with_library(tmp_path), program, {"texts": texts, "patterns": written})
    for pattern, rows in zip(PATTERNS, found, strict=True):
        for text, row in zip(texts, rows, strict=True):
            assert row == matches(pattern, text), (pattern.pattern, text)


def test_a_pattern_that_javascript_lacks_is_refused():
    with pytest.raises(ConfigError, match="GROUPREF_EXISTS"):
        translated(re.compile(r"(a)?(?(1)b|c)"))


SOURCE = """
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

_WORDS = {"one": 1, "two": 2}
_SIGNS = frozenset("+-")
_PATTERN = re.compile(r"(?P<a>\\\\w)(?P<b>\\\\d)?")


@dataclass(frozen=True)
class Point:
    x: int
    y: int = 2
    rest: list[int] = field(default_factory=list)

    @property
    def both(self) -> tuple[int, int]:
        return self.x, self.y

    def moved(self, by: int, *, twice: bool = False) -> "Point":
        return replace(self, x=self.x + by * (2 if twice else 1))


class Base:
    def __init__(self, name: str) -> None:
        self.name = name

    def __len__(self) -> int:
        return len(self.name)

    def greet(self, other: str = "you") -> str:
        return f"{self.name!r} greets {other}"


class Derived(Base):
    def ask(self) -> str:
        return self.greet(other="them") + "?"


def counted(values: list[int]) -> Iterator[int]:
    for place, value in enumerate(values):
        if value < 0:
            continue
        yield place * value
    yield from range(3)


def everything(text: str) -> list[object]:
    found: list[object] = []
    found.append([text[1:], text[-2:], text[::-1], text[0], text.upper().removeprefix("A")])
    found.append([word for word in text.split() if word and word not in _WORDS])
    found.append({key: value for key, value in _WORDS.items() if value > 1}.get("two", 0))
    head, *tail = text.split() or [""]
    found += [head, tail, "" or "empty", [] and 1, 0 or None, not [], bool({}), 1 < len(text) <= 5]
    if (match := _PATTERN.match(text)) is not None:
        found.append([match["a"], match["b"], match.end(), match.group()])
    point = Point(1).moved(3, twice=True)
    found.append([point.x, point.y, point.both, point.rest, point == point])
    found.append([Derived("ann").ask(), len(Base("bob")), sorted(["b", "a"], key=lambda each: each, reverse=True)])
    found.append([list(counted([1, -1, 2])), max([3, 1, 2]), min((2, "x"), (1, "y")), sum([1, 2]), any([0, 1])])
    found.append([-7 // 2, -7 % 3, "ab" * 2, [1] + [2], sorted({1, 2} | {3}), sorted(_SIGNS - {"+"})])
    number = 0
    while True:
        number += 1
        if number > 3:
            break
    try:
        found.append(int("x"))
    except ValueError:
        found.append("no number")
    found.append([number, [(a, b) for a in range(2) for b in range(a)], dict.fromkeys("ab", 1) == {"a": 1}])
    found.append(["a" if text else "b", *(each for each in (1, 2)), {(1, 2): "pair"}.get((1, 2)), "x".join(["1", "2"])])
    found.append([["no", "yes"][text != "x"], ["no", "yes"][text == "x"]])
    found.append(["a/b/c".rsplit("/", 1), "a b".rsplit(), _PATTERN.match("x1").groupdict() == {"a": "x", "b": "1"}])
    found.append([text.partition(" "), text.isalpha(), text.title(), "é".isupper(), "A1".isupper(), " x ".strip()])
    return found
"""


@needs_node
@pytest.mark.parametrize("text", ["a3 one two three", "Über 4"])
def test_programs_mean_the_same(text, tmp_path, monkeypatch):
    name = "glowvox_translated"  # only names that begin with the package's are ours
    (tmp_path / f"{name}.py").write_text(SOURCE.replace("\\\\", "\\"))
    monkeypatch.syspath_prepend(str(tmp_path))
    python = __import__(name)
    monkeypatch.setitem(sys.modules, name, python)
    with_library(tmp_path)
    (tmp_path / "lib" / "text.js").write_text(translate(Translation({name: ("everything",)}, frozenset())))
    program = """
const python = await import("./lib/python.js");
return (await import("./lib/text.js")).load(python, {}).everything(given);
"""
    assert run_node(tmp_path, program, text) == _rows(python.everything(text))


def _rows(value):
    return [_rows(each) for each in value] if isinstance(value, list | tuple) else value


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("def f():\n    async def g(): ...\n    return g", "async def"),
        ("def f(x):\n    return b'bytes'", "bytes"),
        ("def f(x):\n    del x", "del x"),
        ("import re\ndef f(x):\n    return re.match(x, 'a')", "no value before"),
        ("def f(x, **more):\n    return x(**more)", "x\\("),
    ],
)
def test_what_is_not_understood_is_named(body, message, tmp_path, monkeypatch):
    name = f"glowvox_odd_{abs(hash(body))}"
    (tmp_path / f"{name}.py").write_text(body)
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(ConfigError, match=message):
        translate(Translation({name: ("f",)}, frozenset()))


def test_data_are_written_as_they_are():
    assert literal({"a": (1, None, True), "b": frozenset("yx")}) == (
        'new Map([["a", [1, null, true]], ["b", new Set(["x", "y"])]])'
    )
    assert literal(object()) is None and literal([object()]) is None and literal({"a": len}) is None


def test_the_front_end_is_translated_alike_every_time():
    program = front_end_program()
    assert "class FrontEnd" in program and "class BritishLexicon" not in program
    code = (
        "import sys; from glowvox.export.browser_front_end import front_end_program; "
        "sys.stdout.buffer.write(front_end_program().encode())"
    )
    for seed in ("1", "2"):  # sets have another order in each process
        environment = {**os.environ, "PYTHONHASHSEED": seed}
        again = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, check=True)
        assert again.stdout.decode() == program
