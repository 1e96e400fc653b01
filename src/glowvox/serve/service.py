"""What all parts of a server share."""

from dataclasses import dataclass, field

from glowvox.serve.keys import Gate
from glowvox.serve.metrics import Metrics
from glowvox.serve.settings import ServerSettings
from glowvox.serve.studio import Studio
from glowvox.serve.voice_shelf import VoiceShelf


@dataclass
class Service:
    """A server's voices, its settings and what it is doing."""

    shelf: VoiceShelf
    settings: ServerSettings
    gate: Gate = field(init=False)
    studio: Studio = field(init=False)
    metrics: Metrics = field(init=False)
    stopping: bool = False
    """Whether nothing new is begun."""

    def __post_init__(self) -> None:
        self.gate = Gate(self.settings.keys)
        self.studio = Studio(self.settings.limits, self.settings.turns)
        self.metrics = Metrics(self.studio)

    def stop(self) -> None:
        """Begin nothing new; what is being spoken goes on."""
        self.stopping = True
        self.studio.close()
