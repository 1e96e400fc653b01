// Texts that show what a front end has to know.

export const EXAMPLES = {
  numbers:
    "On 3 May 2024, Dr. Grant paid $1,250.50 for 2.5 kg of saffron at 9:45 a.m., which is about 1/3 of what it cost in 1999.",
  dialogue: "“Did you hear that?” she asked.\n“Hear what?”\n“Exactly. It was quiet, and then somebody spoke; and it was nobody at all.”",
  twister: "The sixth sick sheikh's sixth sheep's sick, while six slick seals sift thick thistles through thick sieves.",
};
