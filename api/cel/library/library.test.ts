import { expect, test } from "vitest";
import { run } from "../../../test/support/evaluate-cel.ts";

const values = { s: "hello", names: ["b", "a", "b"], ints: [3, 1, 2], none: [], mixed: [1, "a"] };

function expectAll(table: Record<string, unknown>): void {
  for (const [source, expected] of Object.entries(table)) {
    const { value, error } = run(source, values);
    expect(error === undefined ? value : `! ${error}`, source).toEqual(expected);
  }
}

test("strings count in code points", () => {
  expectAll({
    "'é😀x'.size()": 3n,
    "'é😀x'.substring(1, 2)": "😀",
    "'é😀x'.indexOf('x')": 2n,
    "'é😀x'.charAt(1) + 'a'.charAt(1)": "😀",
    "'a'.charAt(2)": "! index out of range: 2",
    "'abcabc'.indexOf('c', 3)": 5n,
    "'abcabc'.lastIndexOf('b')": 4n,
    "'abcabc'.lastIndexOf('b', 3)": 1n,
    "s.substring(4, 2)": "! invalid substring range. start: 4, end: 2",
    "'ABCÉ'.lowerAscii() + 'é'.upperAscii()": "abcÉé",
    "'a-b-c'.replace('-', '+', 1)": "a+b-c",
    "'abc'.replace('', '_')": "_a_b_c_",
    "'a,b,c'.split(',', 2)": ["a", "b,c"],
    "'a😀'.split('')": ["a", "😀"],
    "'abc'.split(',', 0)": [],
    "'\\u00a0 a b\\t'.trim()": "a b",
    "names.join('-')": "b-a-b",
    "mixed.join()": "! no such overload: join(list)",
    "strings.quote('a\"b\\n')": '"a\\"b\\n"',
    "s.contains('ell') && s.startsWith('he') && s.endsWith('lo')": true,
  });
});

test("format prints by clause", () => {
  expectAll({
    "'%s is %d%%'.format([s, 5])": "hello is 5%",
    "'%s'.format([[1, 'a', 2.0, null, {'k': b'x'}]])": '[1, "a", 2.000000, null, {"k":b"x"}]',
    "'%.2f %e'.format([1234567.891, 12345.678])": "1,234,567.89 1.234568×10⁰⁴",
    "'%x %X %o %b'.format([255, 'hi', 8, -5])": "ff 6869 10 -101",
    "'%s'.format([[duration('1h')]])": '[duration("3600s")]',
    "'%f'.format([mixed[0]])":
      "! error during formatting: fixed-point clause can only be used on doubles, was given int",
  });
});

test("lists are sorted, summed and searched", () => {
  expectAll({
    "ints.sum() + ints.min() + ints.max()": 10n,
    "none.min()": "! min called on empty list",
    "ints.isSorted()": false,
    "names.indexOf('b') + names.lastIndexOf('b')": 2n,
    "ints.sort()": [1n, 2n, 3n],
    "mixed.sort()": "! list elements must have the same type",
    "ints.sortBy(i, -i)": [3n, 2n, 1n],
    "names.distinct()": ["b", "a"],
    "ints.reverse()": [2n, 1n, 3n],
    "ints.slice(1, 3)": [1n, 2n],
    "ints.slice(1, 9)": "! cannot slice(1, 9), list is length 3",
    "[[1], [2, 3]].flatten()": [1n, 2n, 3n],
    "lists.range(3)": [0n, 1n, 2n],
    "sets.contains(ints, [1]) && sets.equivalent([1, 2], [2, 1, 1]) && !sets.intersects([1], [2])": true,
  });
});

test("patterns are RE2's, found anywhere", () => {
  expectAll({
    "s.matches('l+') && !s.matches('^l')": true,
    "s.matches(s + '(')": "! error parsing regexp: missing closing ): `hello(`",
    "s.find('l+')": "ll",
    "s.find('x')": "",
    "'a1b22'.findAll('[0-9]+', 1)": ["1"],
  });
});

test("URLs have parts", () => {
  expectAll({
    "isURL('https://a.b/c?d=e') && isURL('/a') && !isURL('x')": true,
    "url('x y')": '! URL parse error during conversion from string: parse "x y": invalid URI for request',
    "url('https://u:p@a.b:80/c d?q=1').getHost()": "a.b:80",
    "url('https://[::1]:80/').getHostname() + url('https://a.b').getPort()": "::1",
    "url('https://a.b/c d').getEscapedPath()": "/c%20d",
    "url('HTTPS://a.b/?d=e&d=f&g').getQuery()": new Map([
      ["d", ["e", "f"]],
      ["g", [""]],
    ]),
  });
});

test("addresses and networks", () => {
  expectAll({
    "ip('1.2.3.4').family() + ip('::1').family()": 10n,
    "ip('1.2.3.400')":
      '! IP Address "1.2.3.400" parse error during conversion from string: ParseAddr("1.2.3.400"): IPv4 field has value >255',
    "ip('::ffff:1.2.3.4')": '! IPv4-mapped IPv6 address "::ffff:1.2.3.4" is not allowed',
    "isIP('fe80::1%eth0')": false,
    "ip.isCanonical('2001:DB8::1')": false,
    "string(ip('2001:DB8::1'))": "2001:db8::1",
    "ip('169.254.1.1').isLinkLocalUnicast() && ip('224.0.0.1').isLinkLocalMulticast() && ip('::1').isLoopback()": true,
    "ip('8.8.8.8').isGlobalUnicast() && ip('10.0.0.1').isGlobalUnicast() && ip('::').isUnspecified()": true,
    "cidr('10.0.0.0/8').containsIP('10.1.2.3') && !cidr('10.0.0.0/8').containsIP(ip('11.0.0.1'))": true,
    "cidr('10.0.0.0/8').containsCIDR('10.1.0.0/16') && !cidr('10.0.0.0/8').containsCIDR(cidr('10.0.0.0/4'))": true,
    "string(cidr('10.1.2.3/8').masked()) + string(cidr('10.1.2.3/8').ip())": "10.0.0.0/810.1.2.3",
    "cidr('10.0.0.0/8') == cidr('10.0.0.0/8').masked()": true,
    "isCIDR('10.0.0.0/99')": false,
    "type(ip('::1')) == net.IP": true,
  });
});

test("quantities and versions are ordered", () => {
  expectAll({
    "quantity('1Gi').isGreaterThan(quantity('1G'))": true,
    "quantity('1k').add(1).compareTo(quantity('1001'))": 0n,
    "quantity('2').sub(quantity('500m')).asApproximateFloat()": 1.5,
    "quantity('100m').asInteger()": "! cannot convert value to integer",
    "quantity('3Ki').asInteger()": 3072n,
    "isQuantity('1.3.4')": false,
    "sign(quantity('-1'))": -1n,
    "semver('1.2.3-rc.1').isLessThan(semver('1.2.3-rc.11'))": true,
    "semver('v1.02', true).minor()": 2n,
    "isSemver('1.2') || isSemver('01.2.3')": false,
    "semver('1.x.3')": '! Invalid character(s) found in minor number "x"',
  });
});

test("named formats tell what is wrong", () => {
  expectAll({
    "format.dns1123Label().validate('abc')": "?",
    "format.dns1123Label().validate('A').hasValue()": true,
    "format.dns1123LabelPrefix().validate('abc-')": "?",
    "format.named('uuid').value().validate('x').value()": ["does not match the UUID format"],
    "format.named('zzz')": "?",
    "format.date().validate('2024-02-30').value()": ["invalid date"],
  });
});
