import fc from "fast-check";
import { expect, test } from "vitest";
import { DEPTH_MAX, parseJson, parseText } from "./parse-json.ts";
import { JsonSyntaxError, scanJson } from "./scan-json.ts";

const message = (text: string): string => {
  try {
    parseText(text, true);
  } catch (error) {
    expect(error).toBeInstanceOf(JsonSyntaxError);
    return (error as Error).message;
  }
  throw new Error(`${text} was accepted`);
};

test.each([
  ["", "unexpected end of JSON input"],
  ['{"a"', "unexpected end of JSON input"],
  ['"abc', "unexpected end of JSON input"],
  ["x", "invalid character 'x' looking for beginning of value"],
  ['{"a":1,}', "invalid character '}' looking for beginning of object key string"],
  ["{a:1}", "invalid character 'a' looking for beginning of object key string"],
  ['{"a" 1}', "invalid character '1' after object key"],
  ['{"a":1 "b":2}', "invalid character '\"' after object key:value pair"],
  ["[1 2]", "invalid character '2' after array element"],
  ["[1,]", "invalid character ']' looking for beginning of value"],
  ["{} x", "invalid character 'x' after top-level value"],
  ['"a\nb"', "invalid character '\\n' in string literal"],
  ['"\\x"', "invalid character 'x' in string escape code"],
  ['"\\u12g4"', "invalid character 'g' in \\u hexadecimal character escape"],
  ["-x", "invalid character 'x' in numeric literal"],
  ["01", "invalid character '1' after top-level value"],
  ["1.x", "invalid character 'x' after decimal point in numeric literal"],
  ["1ex", "invalid character 'x' in exponent of numeric literal"],
  ["trux", "invalid character 'x' in literal true (expecting 'e')"],
  ["nul", "unexpected end of JSON input"],
  ["'a'", "invalid character '\\'' looking for beginning of value"],
])("%j is refused in Go's words", (text, words) => {
  expect(message(text)).toBe(words);
});

test("a body that is not JSON is a 400 that shows its beginning", () => {
  const refuse = (text: string) => {
    try {
      parseJson(text, { strict: true, kind: "Pod" });
      throw new Error("accepted");
    } catch (error) {
      return error as Error & { code: number };
    }
  };
  const prefix =
    "the object provided is unrecognized (must be of type Pod): couldn't get version/kind; json parse error:";
  expect(refuse("")).toMatchObject({ code: 400, message: `${prefix} unexpected end of JSON input (<empty>)` });
  expect(refuse("kind: Pod").message).toBe(
    `${prefix} invalid character 'k' looking for beginning of value (6b696e643a20506f64)`,
  );
  expect(refuse(`{"a":"${"x".repeat(40)}`).message).toBe(
    `${prefix} unexpected end of JSON input ({"a":"${"x".repeat(24)} ...)`,
  );
});

test("nesting beyond the bound is refused before it is walked", () => {
  const nested = (depth: number) => "[".repeat(depth) + "]".repeat(depth);
  expect(parseText(nested(DEPTH_MAX), true).duplicates).toEqual([]);
  expect(message(nested(DEPTH_MAX + 1))).toBe("exceeded max depth");
  expect(message("[".repeat(2_000_000))).toBe("exceeded max depth");
});

test("fields given twice are told by path, those in strings are not fields", () => {
  const { duplicates } = parseText('{"a":{"b":1,"b":2},"c":[{"d":1,"e":"x:y","d":2}],"f":"\\"a\\":1"}', true);
  expect(duplicates).toEqual(["a.b", "c[0].d"]);
  expect(parseText('{"a":"x:y\\\\","b":":"}', true).duplicates).toEqual([]);
  expect(parseText('{"a":1,"\\u0061":2}', true)).toEqual({ value: { a: 2 }, duplicates: ["a"] });
});

test("without strictness nobody looks for duplicates", () => {
  expect(parseText('{"a":1,"a":2}', false)).toEqual({ value: { a: 2 }, duplicates: [] });
});

test("any JSON is parsed as JSON.parse does, without duplicates", () => {
  fc.assert(
    fc.property(fc.json(), fc.boolean(), (text, pretty) => {
      const given = pretty ? JSON.stringify(JSON.parse(text), null, 2) : text;
      const { value, duplicates } = parseText(given, true);
      expect(value).toEqual(JSON.parse(given));
      expect(duplicates).toEqual(scanJson(given));
    }),
  );
});

test("damaged JSON is refused exactly where JSON.parse refuses it", () => {
  fc.assert(
    fc.property(fc.json(), fc.nat(), fc.constantFrom("", "}", '"', ",", "x", "\\"), (text, position, put) => {
      const at = position % text.length;
      const damaged = text.slice(0, at) + put + text.slice(at + 1);
      let valid = true;
      try {
        JSON.parse(damaged);
      } catch {
        valid = false;
      }
      if (valid) expect(() => scanJson(damaged)).not.toThrow();
      else expect(() => parseText(damaged, true)).toThrow(JsonSyntaxError);
    }),
    { numRuns: 500 },
  );
});
