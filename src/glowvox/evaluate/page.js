// One player at a time, and the next take of a clip goes on where the last one stopped, so that the ear can compare.
for (const clip of document.querySelectorAll(".clip")) {
  const players = [...clip.querySelectorAll("audio")];
  for (const player of players) {
    player.addEventListener("play", () => {
      for (const other of document.querySelectorAll("audio")) {
        if (other === player || other.paused) continue;
        other.pause();
        if (players.includes(other) && player.currentTime === 0) player.currentTime = other.currentTime;
      }
    });
  }
}
