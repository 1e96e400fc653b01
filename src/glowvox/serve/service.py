"""What all parts of a server share."""

import logging
from dataclasses import dataclass, field

from glowvox.serve.keys import Gate
from glowvox.serve.metrics import Metrics
from glowvox.serve.settings import ServerSettings
from glowvox.serve.studio import Studio
from glowvox.serve.voice_shelf import VoiceShelf

LOGGER = "glowvox.serve"
"""Name of the server's logger."""


@dataclass
class Service:
    """A server's voices, its settings and what it is doing."""

    shelf: VoiceShelf
    settings: ServerSettings
    gate: Gate = field(init=False)
    studio: Studio = field(init=False)
    metrics: Metrics = field(init=False)
    warm: bool = False
    """Whether every voice has spoken, and so has loaded what it needs."""
    stopping: bool = False
    """Whether nothing new is begun."""
    connections: int = 0
    """WebSocket and Wyoming connections that are open."""
    telling: int = 0
    """Texts whose speech is not completely sent."""

    def __post_init__(self) -> None:
        self.gate = Gate(self.settings.keys)
        self.studio = Studio(self.settings.limits, self.settings.turns)
        self.metrics = Metrics(self.studio)

    def warm_up(self) -> None:
        """Have every voice speak, so that the first client need not wait for what is loaded only then."""
        for voice in self.shelf:
            try:
                voice.say("Ready.", on_warning=lambda _: None)
            except Exception:  # those who ask for that voice are told; the others can speak
                logging.getLogger(LOGGER).exception("warming up failed", extra={"told": {"voice": voice.name}})
        self.warm = True

    def connect(self) -> bool:
        """Count a connection in, if there is room for it."""
        if self.stopping or self.connections >= self.settings.limits.sockets:
            return False
        self.connections += 1
        return True

    def disconnect(self) -> None:
        """Count a connection out."""
        self.connections -= 1

    @property
    def busy(self) -> bool:
        """Whether anybody waits for something that was begun."""
        admission = self.studio.admission
        return bool(self.telling or admission.speaking or admission.waiting)

    def stop(self) -> None:
        """Begin nothing new; what is being spoken goes on."""
        self.stopping = True
        self.studio.close()
