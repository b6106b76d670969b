import type { Expression, MapEntry, StructField } from "./ast.ts";
import { isSymbol, STARTS, startsExpression, startsOr } from "./expected.ts";
import { isReservedWord } from "./identifier.ts";
import type { IssueList } from "./issues.ts";
import { lex, type Token } from "./lex.ts";
import { literalOf } from "./literal.ts";
import { expandHas, expandMember, MacroError } from "./macros.ts";
import { Abandoned, Nodes } from "./nodes.ts";

/** In code points; cel-go's own limit. */
const SOURCE_MAX = 100_000;
/** How deep brackets may nest; cel-go's own limit. */
const NESTING_MAX = 250;
/** The expression as a tree, its macros expanded; undefined where issues were reported. */
export function parse(source: string, issues: IssueList): Expression | undefined {
  const size = source.length > SOURCE_MAX ? [...source].length : source.length;
  if (size > SOURCE_MAX) {
    issues.report(-1, `expression code point size exceeds limit: size: ${size}, limit ${SOURCE_MAX}`);
    return undefined;
  }
  const tokens = lex(source, issues);
  try {
    const node = new Parser(tokens, issues).parse();
    return issues.count > 0 ? undefined : node;
  } catch (thrown) {
    if (thrown instanceof Abandoned) return undefined;
    throw thrown;
  }
}

const RELATIONS = new Set(["<", "<=", ">=", ">", "==", "!=", "in"]);
const SUMS = new Set(["+", "-"]);
const PRODUCTS = new Set(["*", "/", "%"]);
/** What these functions are called where they are written as operators. */
const operatorName = (symbol: string): string => (symbol === "in" ? "@in" : `_${symbol}_`);

class Parser {
  readonly #tokens: readonly Token[];
  readonly #issues: IssueList;
  #next = 0;
  #nesting = 0;
  readonly #nodes: Nodes;

  constructor(tokens: readonly Token[], issues: IssueList) {
    this.#tokens = tokens;
    this.#issues = issues;
    this.#nodes = new Nodes(issues);
  }

  parse(): Expression {
    const node = this.#expression();
    if (this.#peek.kind !== "end") {
      const what = this.#tokens[this.#next + 1]?.kind === "end" ? "extraneous" : "mismatched";
      this.#abandon(this.#peek.at, `Syntax error: ${what} input '${this.#peek.text}' expecting <EOF>`);
    }
    return node;
  }

  get #peek(): Token {
    return this.#tokens[this.#next]!;
  }

  #take(): Token {
    const token = this.#peek;
    if (token.kind !== "end") this.#next++;
    return token;
  }

  #is(symbol: string): boolean {
    return this.#peek.kind === "symbol" && this.#peek.text === symbol;
  }

  #accept(symbol: string): Token | undefined {
    return this.#is(symbol) ? this.#take() : undefined;
  }

  #expect(symbol: string): Token {
    return this.#accept(symbol) ?? this.#mismatch(`'${symbol}'`);
  }

  /** A bracket that is left out at the very end has a message of its own, where nothing else could stand there. */
  #close(bracket: string, expected = `'${bracket}'`): void {
    if (this.#accept(bracket)) return;
    const { at, kind, text } = this.#peek;
    if (kind === "end" && bracket !== "}") this.#abandon(at, `Syntax error: missing '${bracket}' at '<EOF>'`);
    const what = isSymbol(this.#tokens[this.#next + 1], bracket) ? "extraneous" : "mismatched";
    this.#abandon(at, `Syntax error: ${what} input '${text}' expecting ${expected}`);
  }

  /** An input that is followed by what is expected is one too many. */
  #mismatch(expected: string): never {
    const { at, text } = this.#peek;
    const isExtra = expected.startsWith("{'['") && startsExpression(this.#tokens[this.#next + 1]);
    return this.#abandon(
      at,
      `Syntax error: ${isExtra ? "extraneous" : "mismatched"} input '${text}' expecting ${expected}`,
    );
  }

  #abandon(at: number, message: string): never {
    this.#issues.report(at, message);
    throw new Abandoned();
  }

  /** Runs within brackets or a branch. */
  #nested<T>(work: () => T): T {
    if (++this.#nesting > NESTING_MAX) {
      this.#abandon(-1, `expression recursion limit exceeded: ${NESTING_MAX}`);
    }
    const result = work();
    this.#nesting--;
    return result;
  }

  #expression(): Expression {
    return this.#nested(() => {
      const condition = this.#or();
      const question = this.#accept("?");
      if (!question) return condition;
      const whenTrue = this.#or();
      this.#expect(":");
      return this.#nodes.call(question.at, "_?_:_", condition, whenTrue, this.#expression());
    });
  }

  #or(): Expression {
    return this.#logical("||", () => this.#logical("&&", () => this.#relation()));
  }

  /** A balanced tree, as upstream: long chains are not deep. */
  #logical(symbol: string, operand: () => Expression): Expression {
    const terms = [operand()];
    const places: number[] = [];
    for (let token = this.#accept(symbol); token; token = this.#accept(symbol)) {
      places.push(token.at);
      terms.push(operand());
    }
    const balance = (low: number, high: number): Expression => {
      const middle = (low + high + 1) >> 1;
      const left = middle === low ? terms[middle]! : balance(low, middle - 1);
      const right = middle === high ? terms[middle + 1]! : balance(middle + 1, high);
      return this.#nodes.call(places[middle]!, `_${symbol}_`, left, right);
    };
    return terms.length === 1 ? terms[0]! : balance(0, places.length - 1);
  }

  #relation(): Expression {
    return this.#leftToRight(RELATIONS, () =>
      this.#leftToRight(SUMS, () => this.#leftToRight(PRODUCTS, () => this.#unary())),
    );
  }

  #leftToRight(symbols: ReadonlySet<string>, operand: () => Expression): Expression {
    let left = operand();
    while (this.#peek.kind === "symbol" && symbols.has(this.#peek.text)) {
      const token = this.#take();
      left = this.#nodes.call(token.at, operatorName(token.text), left, operand());
    }
    return left;
  }

  #unary(): Expression {
    const symbol = this.#is("!") ? "!" : this.#is("-") && !this.#isNumberAt(1) ? "-" : undefined;
    if (!symbol) return this.#member();
    const first = this.#take();
    let count = 1;
    while (this.#accept(symbol)) count++;
    if (symbol === "-" && !startsExpression(this.#peek)) {
      const { at, kind, text } = this.#peek;
      this.#abandon(at, `Syntax error: no viable alternative at input '-${kind === "end" ? "" : text}'`);
    }
    const operand = this.#member();
    return count % 2 === 0 ? operand : this.#nodes.call(first.at, symbol === "!" ? "!_" : "-_", operand);
  }

  #isNumberAt(ahead: number): boolean {
    const kind = this.#tokens[this.#next + ahead]?.kind;
    return kind === "int" || kind === "double";
  }

  #member(): Expression {
    let node = this.#primary();
    for (;;) {
      const dot = this.#accept(".");
      if (dot) {
        node = this.#selection(node, dot);
        continue;
      }
      const bracket = this.#accept("[");
      if (!bracket) return node;
      const optional = this.#accept("?");
      if (!startsExpression(this.#peek)) this.#mismatch(startsOr({ optional: !optional }));
      const index = this.#expression();
      this.#close("]");
      node = this.#nodes.call(bracket.at, optional ? "_[?_]" : "_[_]", node, index);
    }
  }

  #selection(operand: Expression, dot: Token): Expression {
    if (this.#accept("?")) {
      const at = this.#peek.at;
      if (this.#peek.kind === "end") {
        this.#issues.report(at, "Syntax error: mismatched input '<EOF>' expecting {IDENTIFIER, ESC_IDENTIFIER}");
        this.#abandon(at, "unsupported ident kind");
      }
      const field = this.#nodes.node({ kind: "literal", at, value: this.#fieldName() } as const);
      return this.#nodes.call(dot.at, "_?._", operand, field);
    }
    const quoted = this.#peek.kind === "quotedIdentifier";
    const field = this.#fieldName();
    const open = quoted ? undefined : this.#accept("(");
    if (!open) return this.#nodes.node({ kind: "select", at: dot.at, operand, field, test: false });
    const operands = this.#operands();
    const make = this.#nodes.maker(open.at);
    const expanded = this.#expand(open.at, () => expandMember(make, field, operand, operands));
    return (
      expanded ??
      this.#nodes.node({ kind: "call", at: open.at, function: field, target: operand, arguments: operands } as const)
    );
  }

  #fieldName(): string {
    const token = this.#peek;
    if (token.kind === "quotedIdentifier") this.#abandon(token.at, "unsupported syntax: '`'");
    if (token.kind !== "identifier") {
      // ANTLR's words for a reserved word and for the rest differ.
      if (token.text === "true" || token.text === "false" || token.text === "null") this.#mismatch("IDENTIFIER");
      this.#abandon(
        token.at,
        `Syntax error: no viable alternative at input '.${token.kind === "end" ? "" : token.text}'`,
      );
    }
    return this.#take().text;
  }

  /** The arguments of a call, up to the bracket, which is taken. */
  #operands(): Expression[] {
    const operands: Expression[] = [];
    if (this.#accept(")")) return operands;
    if (!startsExpression(this.#peek)) this.#mismatch(startsOr({ close: ")" }));
    do operands.push(this.#expression());
    while (this.#accept(","));
    this.#close(")");
    return operands;
  }

  /** Items up to a closing bracket, which is taken; a comma may stand before it. */
  #items<T>(close: string, item: () => T): T[] {
    const items: T[] = [];
    while (!this.#is(close)) {
      if (this.#accept(",")) break;
      items.push(item());
      if (!this.#is(",") || !this.#startsItem(this.#tokens[this.#next + 1])) break;
      this.#take();
    }
    const expected = this.#accept(",") || items.length === 0 ? `'${close}'` : `{'${close}', ','}`;
    this.#close(close, expected);
    return items;
  }

  #startsItem = (token: Token | undefined): boolean => startsExpression(token) || isSymbol(token, "?");

  #primary(): Expression {
    const token = this.#peek;
    if (token.kind === "symbol") {
      switch (token.text) {
        case "(": {
          this.#take();
          const inner = this.#expression();
          this.#close(")");
          return inner;
        }
        case "[":
          return this.#createList(this.#take());
        case "{":
          return this.#createMap(this.#take());
        case ".":
          this.#take();
          return this.#named(token.at, ".");
        case "-":
          this.#take();
          return this.#literal(token.at, "-");
      }
    }
    if (token.kind === "identifier") return this.#named(token.at, "");
    return this.#literal(token.at, "");
  }

  #createList(bracket: Token): Expression {
    const optional = new Set<number>();
    let index = 0;
    const element = () => {
      if (this.#accept("?")) optional.add(index);
      index++;
      return this.#expression();
    };
    const elements = this.#items("]", element);
    return this.#nodes.node({ kind: "list", at: bracket.at, elements, optional });
  }

  #createMap(brace: Token): Expression {
    const entry = (): MapEntry => {
      const optional = this.#accept("?") !== undefined;
      const key = this.#expression();
      const { at } = this.#expect(":");
      return { at, key, value: this.#expression(), optional };
    };
    return this.#nodes.node({ kind: "map", at: brace.at, entries: this.#items("}", entry) });
  }

  /** A variable, a call or `Type{…}`. */
  #named(at: number, dot: "" | "."): Expression {
    const token = this.#take();
    if (token.kind !== "identifier") {
      this.#next--;
      this.#mismatch("IDENTIFIER");
    }
    const name = dot + token.text;
    if (this.#isStruct()) return this.#createStruct(name);
    if (isReservedWord(token.text)) this.#issues.report(at, `reserved identifier: ${token.text}`);
    const open = this.#accept("(");
    if (!open) return this.#nodes.node({ kind: "identifier", at: token.at, name });
    const operands = this.#operands();
    if (name === "has" && operands.length === 1) {
      const expanded = this.#expand(open.at, () => expandHas(this.#nodes.maker(open.at), operands[0]!));
      if (expanded) return expanded;
    }
    return this.#nodes.call(open.at, name, ...operands);
  }

  /** Whether `.name` follows, any number of times, and then a brace. */
  #isStruct(): boolean {
    let ahead = this.#next;
    while (isSymbol(this.#tokens[ahead], ".") && this.#tokens[ahead + 1]?.kind === "identifier") ahead += 2;
    return isSymbol(this.#tokens[ahead], "{");
  }

  #createStruct(start: string): Expression {
    let name = start;
    while (this.#accept(".")) name += `.${this.#take().text}`;
    const brace = this.#take();
    const field = (): StructField => {
      const optional = this.#accept("?") !== undefined;
      if (!/^(?:identifier|quotedIdentifier)$/.test(this.#peek.kind)) {
        this.#mismatch("{'}', ',', '?', IDENTIFIER, ESC_IDENTIFIER}");
      }
      const fieldName = this.#fieldName();
      const { at } = this.#expect(":");
      return { at, name: fieldName, value: this.#expression(), optional };
    };
    return this.#nodes.node({ kind: "struct", at: brace.at, name, fields: this.#items("}", field) });
  }

  #literal(at: number, sign: "" | "-"): Expression {
    const token = this.#peek;
    const value = literalOf(token, sign, (message) => this.#issues.report(at, message));
    if (value === undefined) return this.#mismatch(STARTS);
    this.#take();
    return this.#nodes.node({ kind: "literal", at, value });
  }

  #expand(at: number, expand: () => Expression | undefined): Expression | undefined {
    try {
      return expand();
    } catch (thrown) {
      if (!(thrown instanceof MacroError)) throw thrown;
      this.#issues.report(thrown.at, thrown.message);
      return this.#nodes.node({ kind: "literal", at, value: null });
    }
  }
}
