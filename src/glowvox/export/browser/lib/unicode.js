// Names and kinds of characters. The names, of signs and of Greek letters, come with the tables.

const KINDS = "Lu Ll Lt Lm Lo Mn Mc Me Nd Nl No Pc Pd Ps Pe Pi Pf Po Sm Sc Sk So Zs Zl Zp Cc Cf Cs Co Cn"
  .split(" ")
  .map((name) => [name, new RegExp(`^\\p{gc=${name}}`, "u")]);

const names = new Map();

export function setNames(table) {
  for (const [sign, written] of table) names.set(sign, written);
}
export const name = (sign, usual = "") => names.get(sign) ?? usual;
export const category = (sign) => KINDS.find(([, test]) => test.test(sign))?.[0] ?? "Cn";
export const combining = (sign) => (/^[\p{Mn}\p{Me}]/u.test(sign) ? 1 : 0);
export const normalize = (form, text) => text.normalize(form);
