// What a text can do wrong.

export class TextError extends Error {
  constructor(message) {
    super(message);
    this.name = "TextError";
  }
}
