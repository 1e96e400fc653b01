"""The body of a request for speech: OpenAI's fields, and a few of ours."""

from abc import ABC
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StrictBool, field_validator, model_validator
from pydantic_core import PydanticKnownError

from glowvox.errors import GlowvoxError
from glowvox.serve.instructions import LONGEST, followed
from glowvox.serve.refusal import Refusal
from glowvox.serve.voice_registry import MODEL, Selection, ServedVoice, VoiceRegistry
from glowvox.synthesis.script import lexicon_of
from glowvox.synthesis.speech_encoding import SpeechEncoder

Format = Literal["mp3", "opus", "aac", "flac", "wav", "pcm"]
PCM_RATE = 24_000
"""What clients of OpenAI's interface take 16-bit samples without a header to be, in Hz."""
_LONGEST_NAME = 200
_LONGEST_LEXICON = 100_000
_TEXTS = ("input", "text")
_NUMBERS = ("speed", "pitch_shift", "pitch_range", "temperature", "sentence_pause", "paragraph_pause")
_WHOLE_NUMBERS = ("seed", "sample_rate")
_TRUTHS = ("pause_tags", "read_code", "strict_ssml")
_OPTIONS = (
    *("pitch_shift", "pitch_range", "temperature", "sentence_pause", "paragraph_pause", "language", "pause_tags"),
    *("read_code", "strict_ssml"),
)


def _unicode(text: str) -> str:
    """Return a text if it can be encoded: JSON can hold halves of letters.

    Raises:
        PydanticKnownError: it cannot.
    """
    try:
        text.encode()
    except UnicodeEncodeError:
        raise PydanticKnownError("string_unicode") from None
    return text


SpokenText = Annotated[
    str, AfterValidator(_unicode), Field(description="The text; one with nothing to say is a short silence.")
]


class VoiceReference(BaseModel):
    """A voice as an object, as newer clients name it."""

    id: Annotated[str, Field(max_length=_LONGEST_NAME)]


def _say_nullable(schema: dict[str, Any]) -> None:
    """Say in the JSON schema that null stands for an absent field."""
    for name, field in schema["properties"].items():
        if name in schema.get("required", ()) or {"type": "null"} in field.get("anyOf", ()):
            continue
        said = {key: field.pop(key) for key in ("title", "description", "default") if key in field}
        values = [dict(field), {"type": "null"}]
        field.clear()
        field |= {"anyOf": values, **said}


class SpeechOverrides(BaseModel, ABC):
    """Overrides of the voice's defaults: how a text is spoken, whatever the text and wherever it comes from."""

    model_config = ConfigDict(extra="ignore", json_schema_extra=_say_nullable)

    model: Annotated[str, Field(max_length=_LONGEST_NAME, description="`glowvox`, or one of OpenAI's names.")] = MODEL
    voice: Annotated[
        Annotated[str, Field(max_length=_LONGEST_NAME)] | VoiceReference | None,
        Field(description="A name of /v1/audio/voices, or NAME/SPEAKER; OpenAI's names mean the default voice."),
    ] = None
    response_format: Annotated[Format, Field(description="The sound file's format.")] = "mp3"
    speed: Annotated[float, Field(ge=0.25, le=4.0, allow_inf_nan=False, description="Speaking rate.")] = 1.0
    sample_rate: Annotated[
        int | None,
        Field(ge=8000, le=48_000, description="Of the audio, in Hz; the voice's own where absent, pcm: 24000."),
    ] = None
    seed: Annotated[int, Field(ge=0, lt=2**63, description="Of the noise: the same seed, the same speech.")] = 0
    pitch_shift: Annotated[
        float | None,
        Field(ge=-24, le=24, allow_inf_nan=False, description="Semitones, of a voice with pitch conditioning."),
    ] = None
    pitch_range: Annotated[
        float | None,
        Field(
            ge=0,
            le=4,
            allow_inf_nan=False,
            description="Width of the pitch contour, 1: natural; of a voice with pitch conditioning.",
        ),
    ] = None
    temperature: Annotated[
        float | None,
        Field(ge=0, le=2, allow_inf_nan=False, description="How lively it is spoken; the voice's own where absent."),
    ] = None
    pause_tags: Annotated[
        bool | None, Field(description="Whether `[pause:1s]` in the text is a silence; true where absent.")
    ] = None
    sentence_pause: Annotated[
        float | None, Field(ge=0, le=60, allow_inf_nan=False, description="Seconds of silence after a sentence.")
    ] = None
    paragraph_pause: Annotated[
        float | None, Field(ge=0, le=60, allow_inf_nan=False, description="Seconds of silence after a paragraph.")
    ] = None
    lexicon: Annotated[
        str | None,
        Field(max_length=_LONGEST_LEXICON, description="Your own pronunciations: lines `word = phonemes`."),
    ] = None
    input_format: Annotated[
        Literal["auto", "text", "plain", "markdown", "html", "ssml"],
        Field(description="What the text is written in; auto: SSML at `<speak>`, and what is surely markup."),
    ] = "auto"
    read_code: Annotated[bool | None, Field(description="Whether blocks of code are read; false where absent.")] = None
    instructions: Annotated[
        str | None,
        Field(max_length=LONGEST, description="In English; followed as far as speed, pitch and pauses go."),
    ] = None
    strict_ssml: Annotated[
        bool | None, Field(description="Whether SSML that holds what is not spoken is refused; false where absent.")
    ] = None
    speaker: Annotated[str | None, Field(max_length=_LONGEST_NAME, description="Of a voice with several.")] = None
    language: Annotated[str | None, Field(max_length=40, description="Of a voice with several.")] = None

    @field_validator(*_NUMBERS, mode="before")
    @classmethod
    def _number(cls, value: Any) -> Any:
        """Return a value that may be a number: true, which Python takes for 1, is none."""
        if isinstance(value, bool):
            raise PydanticKnownError("float_type")
        return value

    @field_validator(*_WHOLE_NUMBERS, mode="before")
    @classmethod
    def _whole_number(cls, value: Any) -> Any:
        """Return a value that may be a whole number."""
        if isinstance(value, bool):
            raise PydanticKnownError("int_type")
        return value

    @field_validator(*_TRUTHS, mode="before")
    @classmethod
    def _truth(cls, value: Any) -> Any:
        """Return a value that may be true or false, or one of them in letters, as in an address; no number is."""
        if isinstance(value, int | float) and not isinstance(value, bool):
            raise PydanticKnownError("bool_type")
        return value

    @model_validator(mode="before")
    @classmethod
    def _leave_out_what_is_empty(cls, content: Any) -> Any:
        """Drop null and empty fields, which many clients send for those that nobody filled in."""
        if not isinstance(content, dict):
            return content
        if "markup" in content:  # the command's name for it
            content = {"input_format": content["markup"], **content}
        return {name: value for name, value in content.items() if value is not None and (value != "" or name in _TEXTS)}

    def select(self, registry: VoiceRegistry) -> Selection:
        """Return the voice.

        Raises:
            Refusal: there is no such model, voice or speaker.
        """
        registry.check_model(self.model)
        name = self.voice.id if isinstance(self.voice, VoiceReference) else self.voice
        return registry.find(name, self.speaker)

    def options(self, selection: Selection) -> dict[str, Any]:
        """Return what the voice is told besides the text.

        Raises:
            Refusal: a line of the lexicon is wrong, or the voice does not speak the language.
        """
        overrides = self._instructed(selection.voice)[0] | {"seed": self.seed, "speaker": selection.speaker}
        try:
            if self.language is not None:
                selection.voice.options(language=self.language)
        except GlowvoxError as error:
            raise Refusal(400, str(error), param="language") from error
        try:
            if self.lexicon is not None:
                overrides["lexicon"] = lexicon_of(self.lexicon)
        except GlowvoxError as error:
            raise Refusal(400, str(error), param="lexicon") from error
        return overrides

    def notes(self, voice: ServedVoice) -> list[str]:
        """Return what of the instructions the voice does not follow, a line each."""
        return self._instructed(voice)[1]

    def check(self, selection: Selection) -> None:
        """Refuse what the voice cannot do, before there is a text.

        Raises:
            Refusal: it cannot have another pitch; see `options`, too.
            GlowvoxError: see `Voice.options`.
        """
        options = self.options(selection)
        options.pop("lexicon", None)
        asked = selection.voice.options(**options)
        if not selection.voice.has_melody and (asked.pitch_shift, asked.pitch_range) != (0.0, 1.0):
            param = "pitch_shift" if asked.pitch_shift else "pitch_range"
            raise Refusal(400, "this voice has no melody to change; leave the pitch out", param=param)

    def _instructed(self, voice: ServedVoice) -> tuple[dict[str, Any], list[str]]:
        overrides: dict[str, Any] = {"speed": self.speed}
        overrides |= {name: value for name in _OPTIONS if (value := getattr(self, name)) is not None}
        overrides["markup"] = "plain" if self.input_format == "text" else self.input_format
        if self.instructions is None:
            return overrides, []
        return followed(self.instructions, overrides, voice.card.defaults, melody=voice.has_melody)

    def encoder(self, voice: ServedVoice) -> SpeechEncoder:
        """Return an encoder of the voice's samples to the bytes of the sound file.

        Raises:
            AudioError: see `SpeechEncoder`.
        """
        rate = PCM_RATE if self.sample_rate is None and self.response_format == "pcm" else self.sample_rate
        return SpeechEncoder(self.response_format, voice.card.sample_rate, rate)


class PlainOverrides(SpeechOverrides):
    """Those of a protocol that has no fields for more."""


class SpeechQuery(SpeechOverrides):
    """A text to be spoken, in an address."""

    voice: Annotated[
        str | None, Field(max_length=_LONGEST_NAME, description="A name of /v1/audio/voices, or NAME/SPEAKER.")
    ] = None
    text: SpokenText
    api_key: Annotated[str, Field(max_length=1000, description="An API key, of players that cannot send headers.")] = ""

    @model_validator(mode="before")
    @classmethod
    def _take_either_name(cls, content: Any) -> Any:
        """Take the text by the name that it has in a body, too."""
        return {"text": content["input"], **content} if isinstance(content, dict) and "input" in content else content

    def request(self) -> "SpeechRequest":
        """Return the request that a body would have been."""
        fields = self.model_dump(exclude_unset=True, exclude={"text", "api_key"})
        return SpeechRequest(input=self.text, **fields)


class SpeechRequest(SpeechOverrides):
    """A text to be spoken."""

    input: SpokenText
    stream_format: Annotated[
        Literal["audio", "sse", "json"],
        Field(description="The sound file itself, server-sent events, or one JSON object with base64 and words."),
    ] = "audio"
    timestamps: Annotated[StrictBool, Field(description="With sse: whether the times of words are sent.")] = False
