"""Who lays texts over recordings: the voices' aligners, each loaded when it is first asked for."""

import threading
from collections.abc import Callable, Mapping

from glowvox.errors import GlowvoxError
from glowvox.serve.problems import Refusal
from glowvox.synthesis.aligner import Aligner


class Aligners:
    """Aligners by the name of their voice."""

    def __init__(self, loaders: Mapping[str, Callable[[], Aligner]]) -> None:
        self._loaders = loaders
        self._loaded: dict[str, Aligner] = {}
        self._lock = threading.Lock()

    def load(self, voice: str) -> Aligner:
        """Return the aligner of a voice; the first call takes its time.

        Raises:
            Refusal: this server has none for that voice.
        """
        if voice not in self._loaders:
            raise Refusal(501, "this server does not align recordings", code="not_available")
        with self._lock:
            if voice not in self._loaded:
                try:
                    self._loaded[voice] = self._loaders[voice]()
                except GlowvoxError as error:
                    raise Refusal(501, str(error), code="not_available") from error
            return self._loaded[voice]
