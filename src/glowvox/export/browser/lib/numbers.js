// Whole numbers in English words, of the words that the tables bring.

export function numberWords({ small, hundred, scales, ordinals }) {
  function cardinal(number) {
    if (number < 100n) return small[Number(number)];
    if (number < 1000n) {
      const rest = number % 100n;
      return `${small[Number(number / 100n)]} ${hundred}${rest ? ` ${cardinal(rest)}` : ""}`;
    }
    const power = Math.min(scales.length, Math.floor((String(number).length - 1) / 3));
    const scale = 1000n ** BigInt(power);
    const rest = number % scale;
    return `${cardinal(number / scale)} ${scales[power - 1]}${rest ? ` ${cardinal(rest)}` : ""}`;
  }

  function year(number) {
    const [head, tail] = [number / 100n, number % 100n];
    if (head === 0n || (head % 10n === 0n && tail < 10n) || head >= 100n) return cardinal(number);
    if (tail === 0n) return `${cardinal(head)} ${hundred}`;
    return `${cardinal(head)} ${tail < 10n ? `oh ${cardinal(tail)}` : cardinal(tail)}`;
  }

  return (value, form) => {
    const number = BigInt(value);
    if (form === "year") return year(number);
    const words = cardinal(number).split(" ");
    if (form === "ordinal") words.push(ordinals[words.pop()]);
    return words.join(" ");
  };
}
