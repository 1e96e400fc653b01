// Errors of Python that the front end raises or catches.

export class ValueError extends Error {}
export class KeyError extends Error {}
export class RuntimeError extends Error {}
