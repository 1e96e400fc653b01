"""What of the text front end goes to the browser, and what JavaScript brings itself there."""

from glowvox.export.python_to_js import Translation, translate

_TEXT = "glowvox.text"
_ROOTS = {
    f"{_TEXT}.front_end": ("FrontEnd",),
    f"{_TEXT}.gruut_back_end": ("GruutBackEnd",),
    f"{_TEXT}.homographs": ("HomographModel", "Reading"),
    f"{_TEXT}.lexicon": ("parse_lexicon",),
    f"{_TEXT}.letter_to_sound": ("_with_one_stress",),
    f"{_TEXT}.normalise.scanner": ("Scanner",),
    f"{_TEXT}.normalise.symbols": ("_clean_cluster", "CleanText"),
    f"{_TEXT}.sentences": ("SentenceLimits",),
    f"{_TEXT}.tokenizer": ("Tokenizer",),
    f"{_TEXT}.utterance": ("PauseLengths", "Word", "Pause"),
}
_GIVEN = {
    "glowvox.errors": ("TextError", "ConfigError"),
    # Numbers come from a library in Python; patterns with their flags are made when they are translated.
    f"{_TEXT}.normalise.numbers": ("_words",),
    f"{_TEXT}.normalise.scanner": ("rule",),
    f"{_TEXT}.normalise.languages": ("_german_rules", "_any_rules"),
    f"{_TEXT}.normalise.symbols": ("clean_characters",),
    # Tables and models, which are read from other files here.
    f"{_TEXT}.gruut_back_end": ("PronunciationLexicon", "english_homographs"),
    f"{_TEXT}.homographs": ("load_homograph_model",),
    f"{_TEXT}.word_table": ("load_word_table",),
    f"{_TEXT}.letter_to_sound": ("load_letter_to_sound",),
    f"{_TEXT}.sequence_model": ("load_sequence_model", "sentence_features", "letter_features", "decode"),
    # American English in plain text: no other scripts, languages, markup.
    f"{_TEXT}.british": ("british_phonemes", "british_readings", "with_linking_r", "BritishLexicon"),
    f"{_TEXT}.other_scripts": ("read_other_scripts", "script_of"),
    f"{_TEXT}.markup": ("to_plain", "is_ssml", "MarkupOptions"),
    f"{_TEXT}.ssml": ("parse_ssml",),
}
_DROPPED = {
    f"{_TEXT}.front_end.FrontEnd": (
        "process_ssml",
        "check_front_end",
        "to_dict",
        "version",
        "name",
        "words",
        "readings",
    ),
    f"{_TEXT}.gruut_back_end.GruutBackEnd": ("__init__", "version", "words", "_roles"),
    f"{_TEXT}.homographs.HomographModel": ("_evidence",),  # arrays of NumPy
    # A pattern of all rules at once, which JavaScript's engine would not try faster.
    f"{_TEXT}.normalise.scanner.Scanner": ("_short_cut",),
    f"{_TEXT}.tokenizer.Tokenizer": ("to_dict",),
}


def front_end_program() -> str:
    """Return the module `text.js`: the translated front end.

    Raises:
        ConfigError: the sources hold what the translation does not understand.
    """
    return translate(
        Translation(
            roots=_ROOTS,
            given=frozenset(f"{module}.{name}" for module, names in _GIVEN.items() for name in names),
            dropped=frozenset(f"{owner}.{name}" for owner, names in _DROPPED.items() for name in names),
        )
    )
