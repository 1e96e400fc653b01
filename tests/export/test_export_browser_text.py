"""The text front end in JavaScript reads as Python's does, and its parts give the same results, in Node."""

import os
import random
from pathlib import Path

import numpy as np
import pytest
from node_program import needs_node, run_node

from glowvox.errors import TextError
from glowvox.export.browser_export import write_front_end
from glowvox.export.browser_tables import lexicon_text, varints
from glowvox.export.noise_graph import pcg_states, philox_key
from glowvox.synthesis.options import sentence_seed
from glowvox.text.front_end import load_front_end
from glowvox.text.gruut_back_end import GruutBackEnd
from glowvox.text.letter_to_sound import load_letter_to_sound
from glowvox.text.lexicon import parse_lexicon
from glowvox.text.normalise.numbers import cardinal, ordinal, year
from glowvox.text.sequence_model import load_sequence_model, sentence_features
from glowvox.text.tokenizer import Tokenizer

pytestmark = needs_node
HERE = Path(__file__).parent
CASES = HERE.parent / "text" / "english_cases.tsv"
SHARED = Path(os.environ.get("GLOWVOX_SHARED", HERE.parents[1] / "shared"))
FILES = """
const { unpacked, textOf } = await import("./lib/tables.js");
const files = {};
for (const name of ["lexicon", "tagger", "homographs", "meanings", "sounds", "tables"]) {
  files[name] = await unpacked(new Uint8Array(fs.readFileSync(`data/${name}.bin`)));
}
const tables = JSON.parse(textOf(files.tables));
"""
READ = (
    FILES
    + """
const { frontEnd } = await import("./lib/front_end.js");
const { symbols, texts, lexicon } = given;
const reader = frontEnd(files, { symbols }, lexicon);
return texts.map((text) => {
  const { sentences, warnings } = reader.process(text);
  return [sentences.map((one) => [one.tokens, one.words.map((word) => word.phonemes), one.pause]), warnings];
});
"""
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    place = tmp_path_factory.mktemp("front-end")
    write_front_end(place)
    return place


def read_by_python(text, front_end=None):
    utterance = (front_end or load_front_end("en-us")).process(text)
    tokenizer = Tokenizer(add_blank=False)
    rows = [
        [
            tokenizer.encode(one).ids[1:-1] if one.items else [],
            [list(word.phonemes) for word in one.words],
            one.pause_after,
        ]
        for one in utterance.sentences
    ]
    return [rows, list(utterance.warnings)]


def read_by_both(folder, texts, lexicon=""):
    given = {"symbols": Tokenizer().symbols, "texts": texts, "lexicon": lexicon}
    front_end = load_front_end("en-us", lexicon=parse_lexicon(lexicon))
    return run_node(folder, READ, given), [read_by_python(text, front_end) for text in texts]


def test_the_cases_of_the_front_end_are_read_as_in_python(folder):
    texts = [line.split("\t")[0] for line in CASES.read_text(encoding="utf-8").splitlines() if line.strip()]
    found, expected = read_by_both(folder, texts)
    assert len(texts) > 200
    differing = [text for text, one, two in zip(texts, found, expected, strict=True) if one != two]
    assert differing == []


@pytest.mark.parametrize(
    "text",
    [
        "",
        " \n\n ",
        "...",
        "Dr. Smith paid $5.20 on 3/4/2021, at 5:30 p.m., for 2 1/2 lb.\n\nIs that so? Yes!",
        "I read the lead story, then I will read about lead. They present the present; a live wire may live.",
        "“Quoted” — dash… and ½ cup, №\u00a05, 20 °C, x² + y³",
        "Hello 👍🏽 world 😀! A\u0301lvaro and Zoë in a café.",
        "Kryzhanovsky's wugs zxqj brrr; NASA, FBI's, U.S.A. and P.O. Box 9",
        "Wait. [pause:1s] Go on [pause:300ms] now. [[ h ə l ˈoʊ ]] and [[ ? ]]",
        "a" * 700,
        "word " * 400,
        "\x00\x07bell \ufeff\u200bzero",
        "1234567890123456789012 and 12,345,678,901,234,567,890 and ١٢٣",
        "- one\n- two\n\nA heading\nLine after line",
        "ALL OF THIS IS SHOUTED, AS IT WERE.",
        "The speed in km/h, a price per kg and several million MB/s; kilovolts, a pre- and a post-war bass player.",
        "Shhh! Hmmm, that is sooo goood. NOOO, tsk tsk, hahaha; idk, tl;dr and omg: 5 N·m, 9 USD per sq. ft., 5,99 €.",
        "She had tears in her eyes. I opened the letter and read it. Use caution, close of business, a row with Xi.",
        "Smith et al. (2019): Malcolm X, Queen Elizabeth I reigned; E.g. Op. 67 • one • two, I <3 NY, A ⇒ B, NaCl",
        "mail me at a.b@example.com or see https://example.com/x?y=1#z (192.168.0.1)",
    ],
)
def test_odd_texts_are_read_as_in_python(folder, text):
    [found], [expected] = read_by_both(folder, [text])
    assert found == expected


def test_pronunciations_of_the_user_go_first(folder):
    lexicon = "Nguyen = w ɪ n\ngruut = groot\nnew york = n j ˈu j ˈɔ k\n"
    found, expected = read_by_both(folder, ["Nguyen met Gruut in New York, NGUYEN's home."], lexicon)
    assert found == expected
    assert found[0][0][0][1][0] == ["w", "ɪ", "n"]


@pytest.mark.skipif(not (SHARED / "text" / "ljspeech_sentences.csv").is_file(), reason="the shared texts are not here")
def test_sentences_of_books_have_the_same_tokens(folder):
    lines = (SHARED / "text" / "ljspeech_sentences.csv").read_text(encoding="utf-8").splitlines()
    texts = [line.split("|", 1)[1] for line in lines[::65] if "|" in line]
    found, expected = read_by_both(folder, texts)
    assert len(texts) > 190 and found == expected


def test_numbers_are_those_of_python(folder):
    rng = random.Random(3)
    numbers = [
        *range(130),
        1000,
        1001,
        1100,
        10**6,
        10**9 + 7,
        *(rng.randrange(10 ** rng.randint(3, 15)) for _ in range(200)),
    ]
    years = [*range(1000, 2100, 7), 1900, 1905, 2000, 2001, 2010]
    program = (
        FILES
        + """
const { numberWords } = await import("./lib/numbers.js");
const words = numberWords(tables.numbers);
return given.map(([number, form]) => words(number, form));
"""
    )
    asked = [[n, form] for n in numbers for form in ("cardinal", "ordinal")] + [[n, "year"] for n in years]
    found = dict(zip(map(tuple, asked), run_node(folder, program, asked), strict=True))
    assert all(found[n, "cardinal"] == cardinal(str(n)) for n in numbers)
    assert all(found[n, "ordinal"] == ordinal(str(n)) for n in numbers)
    # What `year` asks for otherwise (1905, 2000) never reaches the words.
    asked_as_years = [n for n in years if str(n)[2] != "0" or str(n)[1] == "0"]
    assert all(found[n, "year"] == year(str(n)) for n in asked_as_years if n % 1000)


def test_unknown_words_sound_as_in_python(folder):
    rng = random.Random(5)
    letters = "abcdefghijklmnopqrstuvwxyz'"
    words = ["glimmerlark", "kryzhanovsky", "wugs", "o'brianne", "é", "a"]
    words += ["".join(rng.choices(letters, k=rng.randint(1, 14))) for _ in range(150)]
    program = (
        FILES
        + """
const { LetterToSound } = await import("./lib/letter_to_sound.js");
const { load } = await import("./lib/text.js");
const given$ = new Proxy({}, { get: () => () => [] });
const text = load(await import("./lib/python.js"), { rule: () => (speak) => speak });
const model = new LetterToSound(files.sounds, tables.graphones, text._with_one_stress);
return given.map((word) => model.pronounce(word));
"""
    )
    found = run_node(folder, program, words)
    model = load_letter_to_sound()
    assert found == [list(model.pronounce(word)) for word in words]


def test_the_dictionary_and_the_tagger_are_whole(folder):
    back_end = GruutBackEnd("en-us")
    words = back_end.words()
    asked = [*words[::97], words[0], words[-1], "", "zzzzzz", "qqq", "ab\tc", "hinders"]
    program = (
        FILES
        + """
const { Lexicon } = await import("./lib/lexicon.js");
const { Tagger } = await import("./lib/tagger.js");
const lexicon = new Lexicon(textOf(files.lexicon), tables.signs);
const tagger = new Tagger(files.tagger);
const { words, sentences } = given;
return [lexicon.size, words.map((word) => [...lexicon.roles(word)]), sentences.map((one) => tagger.labelsOf(one))];
"""
    )
    sentences = [
        ["The", "lead", "singer", "will", "lead", "them", ",", "I", "read", "."],
        ['"', "What", "?", '"', "said", "Mr", "Jones", "-", "24", "of", "7", "!"],
        ["They", "present", "a", "present", "—", "naïve", "😀"],
        ["Yes"],
        [],
    ]
    size, roles, tags = run_node(folder, program, {"words": asked, "sentences": sentences})
    assert size == len(words) > 100_000
    assert roles == [[[role, list(phones)] for role, phones in back_end._roles(word).items()] for word in asked]
    tagger = load_sequence_model(back_end._package / "pos" / "model.crf")
    assert tags == [tagger.labels(sentence_features(one)) if one else [] for one in sentences]


def test_seeds_give_the_generators_of_numpy(folder):
    program = """
const { philoxKey, pcgStates, sentenceSeed } = await import("./lib/seeds.js");
return given.map(([seed, place]) => [
  String(sentenceSeed(seed, place)), Array.from(philoxKey(seed), String), Array.from(pcgStates(seed, 3), String),
]);
"""
    asked = [(0, 0), (7, 5), (2**32 + 1, 70_000), (2**53 - 1, 1)]
    for (seed, place), (own, key, states) in zip(asked, run_node(folder, program, asked), strict=True):
        assert int(own) == sentence_seed(seed, place)
        assert list(map(int, key)) == philox_key(seed).view(np.int64).tolist()
        assert list(map(int, states)) == pcg_states(seed, 3).view(np.int64).ravel().tolist()


def test_no_method_is_called_that_javascript_lacks(folder):
    # What the translation calls by name must be a method of strings, lists, sets and dictionaries, or of the classes.
    program = r"""
const text = fs.readFileSync("lib/text.js", "utf8");
const own = ["python", "strings", "pattern", "front_end", "meanings"];
const files = own.map((name) => fs.readFileSync(`lib/${name}.js`, "utf8"));
const names = (pattern, text) => Array.from(text.matchAll(pattern), ([, name]) => name);
const there = new Set([text, ...files].flatMap((file) => names(/^ *(?:get |static |\*)?(\w+)[(:]/gm, file)));
const python = await import("./lib/python.js");
return [
  names(/\$py\.mk?\("(\w+)"/g, text).filter((name) => !there.has(name)),
  names(/\$py\.(?!german_)(\w+)\(/g, text).filter((name) => !(name in python)),
];
"""
    missing, unknown = run_node(folder, program)
    # Fields that hold what is called, SSML, and the phones of other languages, which English text never asks for.
    own = {"_guess", "_normalise", "_roles", "_short_cut", "is_word", "labels", "phonemes", "process_ssml", "speak"}
    assert set(missing) <= own | {"unit_name"}
    assert unknown == []


def test_a_dictionary_with_too_many_phonemes_is_refused():
    with pytest.raises(TextError, match="no sign is left"):
        lexicon_text((f"word{n:03}", {"": (chr(0x250 + n),)}) for n in range(120))
    signs, text = lexicon_text([("ab", {"": ("æ", "b")}), ("abc", {"NN": ("b",), "": ("æ",)})])
    assert signs == {"!": "æ", '"': "b"} and text == ' ab\t!"\n"c\tNN="|!'


def test_numbers_are_packed_seven_bits_a_byte():
    assert varints([0, 127, 128, 300]) == bytes([0, 127, 128, 1, 172, 2])
