// Texts to try: three that show what a front end has to know, and more of which one comes by chance.

export const EXAMPLES = {
  numbers:
    "On 3 May 2024, Dr. Grant paid $1,250.50 for 2.5 kg of saffron at 9:45 a.m., which is about 1/3 of what it cost in 1999.",
  dialogue: "“Did you hear that?” she asked.\n“Hear what?”\n“Exactly. It was quiet, and then somebody spoke; and it was nobody at all.”",
  twister: "The sixth sick sheikh's sixth sheep's sick, while six slick seals sift thick thistles through thick sieves.",
};

const BY_CHANCE = {
  en: [
    "The lighthouse keeper wrote one line a day. On most days it said: “Wind, and nobody.” Today it said: “Somebody.”",
    "To make tea for two, bring 500 ml of water to 95 °C, wait for 4 minutes, and do not talk about the weather.",
    "Ladies and gentlemen, the 10:42 to Lewes is delayed by about 15 minutes. We are sorry; so is the driver.",
    "There was once a clock that told the truth twice a day, and was proud of it. The other clocks were never quite sure.",
    "Is it raining? Then take the long way home. Is it snowing? Then take the longest.",
    "Chapter 1. It was the year in which the river came to dinner, and my grandmother laid a place for it.",
    "Your parcel (2.4 kg) will arrive on Tuesday, between 1 and 3 p.m. If you are out, we will leave it with the cat.",
    "Turn left after 300 m. At the roundabout, take the second exit; then, for a change, enjoy the view.",
    "She counted the stars: 1, 2, 3… and at 4,096 she fell asleep, as anybody would.",
    "Good evening. In tonight's programme: a violin older than its country, and the woman who refuses to play it.",
  ],
  de: [
    "Der Leuchtturmwärter schrieb jeden Tag eine Zeile. Meistens stand da: „Wind, sonst niemand.“ Heute stand da: „Jemand.“",
    "Für zwei Tassen Tee bringe man 500 ml Wasser zum Kochen, warte 4 Minuten und rede nicht über das Wetter.",
    "Meine Damen und Herren, der Zug um 10:42 Uhr hat etwa 15 Minuten Verspätung. Es tut uns leid; dem Lokführer auch.",
    "Es war einmal eine Uhr, die ging zweimal am Tag richtig, und darauf war sie stolz.",
    "Regnet es? Dann nimm den langen Weg nach Hause. Schneit es? Dann den längsten.",
  ],
};

/** Returns a text in a language by chance, another one than the last; English where there is none in it. */
export function textByChance(language, last, chance = Math.random) {
  const texts = (BY_CHANCE[language.split("-")[0]] ?? BY_CHANCE.en).filter((text) => text !== last);
  return texts[Math.floor(chance() * texts.length)];
}
