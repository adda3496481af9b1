import { isSafeNumber, LosslessNumber, parse } from 'lossless-json';

/** A number literal that JSON.parse could change: sixteen digits or more, or an exponent. */
const longNumber = /(?:^|[[:,])\s*-?(?:[\d.]{16}|[\d.]+[eE])/;

/**
 * Parses JSON without changing a number: one that JavaScript cannot hold becomes a `LosslessNumber`
 * (the vendor's `external_id`, `rank` and `sort_key` are 64-bit integers). Throws `SyntaxError`.
 */
export function parseJson(text: string): unknown {
  if (!longNumber.test(text)) return JSON.parse(text);
  return parse(text, undefined, {
    parseNumber: (literal) => (isSafeNumber(literal) ? Number(literal) : new LosslessNumber(literal)),
    // If a key occurs twice, the last value counts, as in JSON.parse.
    onDuplicateKey: ({ newValue }) => newValue,
  });
}

/** The text of an answer's bytes, without a byte order mark; bytes that are not UTF-8 become U+FFFD. */
export function decodeJson(bytes: Buffer): string {
  return new TextDecoder().decode(bytes);
}
