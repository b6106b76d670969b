import { expect, test } from "vitest";
import { run } from "../../test/support/evaluate-cel.ts";

const values = { x: { n: 5, s: "str", list: [1, 2.5, "s", null, true], none: null }, big: [1, 2, 3, 4, 5] };

/** What each expression is; an error where it is written `! …`. */
function expectAll(table: Record<string, unknown>): void {
  for (const [source, expected] of Object.entries(table)) {
    const { value, error } = run(source, values);
    expect(error === undefined ? value : `! ${error}`, source).toEqual(expected);
  }
}

test("literals are what the language says", () => {
  expectAll({
    "-1": -1n,
    "--1": 1n,
    "0xff": 255n,
    "7u": "7u",
    "0xFFu": "255u",
    "1.5e3": 1500,
    ".5": 0.5,
    "'a' + \"b\"": "ab",
    "r'\\d'": "\\d",
    "'''a\nb'''": "a\nb",
    "'\\n\\x41\\u00e9\\101\\U0001F600'": "\nAéA😀",
    "b'a\\x00\\377'": Uint8Array.of(97, 0, 255),
    "b'é'": Uint8Array.of(0xc3, 0xa9),
    "[1, 2,]": [1n, 2n],
    "[,]": [],
    "{'a': true}": new Map([["a", true]]),
    null: null,
    "1 // the rest is a comment": 1n,
    "-9223372036854775808": -9223372036854775808n,
  });
});

test("operators work on one type, comparisons across the numbers", () => {
  expectAll({
    "1 + 2 * 3 - 4 / 2 % 3": 5n,
    "1 - -1": 2n,
    "1u + 2u": "3u",
    "1.5 * 2.0": 3,
    "1.0 / 0.0 > 0": true,
    "7 / -2": -3n,
    "-7 % 3": -1n,
    "9223372036854775807 + 1": "! integer overflow",
    "-9223372036854775808 - 1": "! integer overflow",
    "1u - 2u": "! unsigned integer overflow",
    "1 / 0": "! division by zero",
    "1 % 0": "! modulus by zero",
    "1 < 1u": false,
    "dyn(1) == 1.0": true,
    "dyn(1) == 1u": true,
    "dyn('a') == 1": false,
    "dyn(0.0 / 0.0) == 0.0 / 0.0": false,
    "0.0 / 0.0 < 1.0": "! NaN values cannot be ordered",
    "dyn(1) + 1.0": "! no such overload",
    "dyn(true) + dyn(1)": "! no such overload: _+_",
    "'😀' < '\uffff'": false,
    "b'a' + b'b' == b'ab'": true,
    "false < true": true,
    "[1, 2] + [3]": [1n, 2n, 3n],
    "{'a': [1]} == {'a': [1]}": true,
    "1 in [1, 2] && 'a' in {'a': 1}": true,
    "dyn(1) in [1.0]": true,
    "null == x.none": true,
    "!x.n": "! no such overload",
    "true ? 1 : 2": 1n,
    "false ? 1 : true ? 2 : 3": 2n,
    "x.n ? 1 : 2": "! no such overload",
  });
});

test("&& and || absorb the errors that do not matter, on either side", () => {
  expectAll({
    "x.zz == 1 || true": true,
    "true || x.zz == 1": true,
    "x.zz == 1 && false": false,
    "x.zz == 1 && true": "! no such key: zz",
    "x.n || true": true,
    "x.n || false": "! no such overload",
    "big.exists(i, 10 / (i - 3) == 5)": true,
    "big.all(i, 10 / (i - 3) > 0)": false,
    "big.all(i, 10 / (i - 3) != 0)": "! division by zero",
  });
});

test("fields and elements are found, or missing", () => {
  expectAll({
    "x.n": 5n,
    "x['s']": "str",
    "x.list[1]": 2.5,
    "x.list[9]": "! index out of bounds: 9",
    "x.list[-1]": "! index out of bounds: -1",
    "x.list[0.0]": 1n,
    "x.list['a']": "! unsupported index type 'string' in list",
    "x.zz": "! no such key: zz",
    "x.zz.y": "! no such key: zz",
    "has(x.n) && !has(x.zz) && has(x.none)": true,
    "has(x.zz.y)": "! no such key: zz",
    "{1: 'a'}[dyn(1.0)]": "a",
    "{'__proto__': 1}.__proto__": 1n,
    "has(x.__proto__) || has(x.constructor)": false,
    "x.n.y": "! no such key: y",
  });
});

test("macros go through lists and the keys of maps", () => {
  expectAll({
    "big.all(i, i > 0)": true,
    "big.exists(i, i > 4)": true,
    "big.exists_one(i, i > 4)": true,
    "big.exists_one(i, i > 3)": false,
    "big.map(i, i * 2)": [2n, 4n, 6n, 8n, 10n],
    "big.map(i, i > 3, i * 2)": [8n, 10n],
    "big.filter(i, i % 2 == 0)": [2n, 4n],
    "[[1, 2], [3]].map(l, l.map(i, i + 1))": [[2n, 3n], [4n]],
    "{'a': 1, 'b': 2}.map(k, k)": ["a", "b"],
    "{'a': 1}.all(k, v, k == 'a' && v == 1)": true,
    "[5, 6].exists(i, v, i == 1 && v == 6)": true,
    "[5, 6].existsOne(i, v, v > 5)": true,
    "[5, 6].transformList(i, v, i + v)": [5n, 7n],
    "[5, 6].transformMap(i, v, v > 5, v)": new Map([[1n, 6n]]),
    "{'a': 'x'}.transformMapEntry(k, v, {v: k})": new Map([["x", "a"]]),
    "[1, 1].transformMapEntry(i, v, {v: i})": "! insert failed: key 1 already exists",
    "[1, 2].all(big, big > 0) && big.size() == 5": true,
    "x.n.map(i, i)": "! got 'types.Int', expected iterable type",
    "['c', 'a'].sortBy(s, s)": ["a", "c"],
  });
});

test("optionals stand for what may not be there", () => {
  expectAll({
    "x.?n": ["?", 5n],
    "x.?zz": "?",
    "x.?zz.y.z": "?",
    "x.?zz.?y.orValue(1)": 1n,
    "x.list[?0]": ["?", 1n],
    "x.list[?9].hasValue()": false,
    "optional.none().or(optional.of(1)).value()": 1n,
    "optional.none().value()": "! optional.none() dereference",
    "optional.of(1).optMap(v, v + 1)": ["?", 2n],
    "optional.none().optMap(v, v + 1)": "?",
    "optional.of(1).optFlatMap(v, optional.of(v))": ["?", 1n],
    "optional.ofNonZeroValue('')": "?",
    "optional.of(1) == optional.of(1)": true,
    "[?optional.of(1), ?optional.none()]": [1n],
    "{?'a': x.?n, ?'b': x.?zz}": new Map([["a", 5n]]),
    "[1, 2].first().value() + [1, 2].last().value()": 3n,
    "optional.unwrap([optional.of(1), optional.none()])": [1n],
    "has(optional.of({'a': 1}).a)": true,
  });
});

test("conversions follow Go's parsers", () => {
  expectAll({
    "int('-12') + int(2.9) + int(3u)": -7n,
    "int(x.s)": "! type conversion error from 'string' to 'int'",
    "int(1e30 * double(x.n))": "! integer overflow",
    "uint(x.n - 6)": "! unsigned integer overflow",
    "double('1.5e2')": 150,
    "bool('T')": true,
    "string(1.0)": "1",
    "string(123456789.0)": "1.23456789e+08",
    "string(0.00001)": "1e-05",
    "string(true) + string(5u)": "true5",
    "string(b'abc')": "abc",
    "bytes('é') == b'\\xc3\\xa9'": true,
    "type(1) == int && type([]) == list && type(type(1)) == type": true,
    "type(timestamp(0)) == google.protobuf.Timestamp": true,
    "type(optional.of(1)) == optional_type": true,
  });
});

test("times and durations have Go's arithmetic", () => {
  expectAll({
    "duration('1h30m1.5s')": "5401.5s",
    "duration('-1.5h') < duration('1ns')": true,
    "duration(x.s)": "! type conversion error from 'string' to 'google.protobuf.Duration'",
    "string(timestamp('2024-01-01T00:00:00.120+01:00'))": "2024-01-01T00:00:00.12+01:00",
    "timestamp('2024-12-31T23:00:00Z') == timestamp('2025-01-01T00:00:00+01:00')": true,
    "timestamp('2024-02-29T00:00:00Z') + duration('24h') == timestamp('2024-03-01T00:00:00Z')": true,
    "timestamp('2024-01-02T00:00:00Z') - timestamp('2024-01-01T00:00:00Z')": "86400s",
    "timestamp('9999-12-31T23:59:59Z') + duration('1s')": "! timestamp overflow",
    "timestamp('2024-12-31T23:00:00Z').getDayOfYear()": 365n,
    "timestamp('2024-12-31T23:00:00Z').getFullYear('Asia/Tokyo')": 2025n,
    "timestamp('2024-12-31T23:00:00Z').getHours('-08:30')": 14n,
    "timestamp('2024-12-31T23:00:00Z').getHours('No/Where')": "! unknown time zone No/Where",
    "timestamp('2024-03-31T00:00:00Z').getMonth()": 2n,
    "int(timestamp('1970-01-01T00:01:00Z')) + int(duration('1us'))": 1060n,
    "duration('90m').getHours() + duration('1500ms').getMilliseconds()": 1501n,
  });
});
