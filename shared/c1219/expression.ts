import { HeadraceError } from "../ports/errors.ts";

/** Arithmetic and conditions of table descriptions. */
export type Expression =
  | { readonly kind: "number"; readonly value: number }
  | { readonly kind: "name"; readonly name: string }
  | { readonly kind: "not"; readonly of: Expression }
  | { readonly kind: Operator; readonly left: Expression; readonly right: Expression };
type Operator = "or" | "and" | "==" | ">" | "+" | "-" | "*" | "/";

const LEVELS: readonly (readonly Operator[])[] = [["or"], ["and"], ["==", ">"], ["+", "-"], ["*", "/"]];

/** A description that does not say what it should; a fault of a profile or of ours, never of the meter. */
export const descriptionError = (message: string): HeadraceError =>
  new HeadraceError("c1219.description", message, { retry: "never" });

/** Words and marks of a description, read forwards. */
export class Tokens {
  readonly #tokens: readonly string[];
  #at = 0;

  constructor(text: string) {
    const bare = text.replaceAll(/#[^\n]*/g, " ");
    if (/[^\sA-Za-z0-9_.:;(){}[\]+\-*/=>]/.test(bare))
      throw descriptionError(`expected letters, digits and marks, got ${JSON.stringify(bare)}`);
    this.#tokens =
      bare.match(/[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z_][A-Za-z0-9_]*)*|\d+|\.\.|==|[:;(){}[\]+\-*/>]/g) ?? [];
  }

  get next(): string | undefined {
    return this.#tokens[this.#at];
  }
  take(): string {
    const token = this.next;
    if (token === undefined) throw descriptionError("expected more, the description ends");
    this.#at++;
    return token;
  }
  /** Moves past the token when it is the next one. */
  accept(token: string): boolean {
    if (this.next !== token) return false;
    this.#at++;
    return true;
  }
  expect(token: string): void {
    const found = this.take();
    if (found !== token) throw descriptionError(`expected ${token}, got ${found}`);
  }
  name(): string {
    const token = this.take();
    if (!/^[A-Za-z_]/.test(token)) throw descriptionError(`expected a name, got ${token}`);
    return token;
  }
  number(): number {
    const token = this.take();
    if (!/^\d+$/.test(token)) throw descriptionError(`expected a number, got ${token}`);
    return Number(token);
  }
}

export function parseExpression(tokens: Tokens, level = 0): Expression {
  const operators = LEVELS[level];
  if (operators === undefined) return parseOperand(tokens);
  let left = parseExpression(tokens, level + 1);
  for (;;) {
    const kind = operators.find((operator) => tokens.accept(operator));
    if (kind === undefined) return left;
    left = { kind, left, right: parseExpression(tokens, level + 1) };
  }
}

function parseOperand(tokens: Tokens): Expression {
  if (tokens.accept("not")) return { kind: "not", of: parseOperand(tokens) };
  if (tokens.accept("(")) {
    const inner = parseExpression(tokens);
    tokens.expect(")");
    return inner;
  }
  if (/^\d/.test(tokens.next ?? "")) return { kind: "number", value: tokens.number() };
  return { kind: "name", name: tokens.name() };
}

/** The value of an expression: division gives whole numbers, truth is 1. `numberOf` throws for unknown names. */
export function evaluate(expression: Expression, numberOf: (name: string) => number): number {
  if (expression.kind === "number") return expression.value;
  if (expression.kind === "name") return numberOf(expression.name);
  if (expression.kind === "not") return evaluate(expression.of, numberOf) === 0 ? 1 : 0;
  const left = evaluate(expression.left, numberOf);
  const right = evaluate(expression.right, numberOf);
  switch (expression.kind) {
    case "or":
      return left !== 0 || right !== 0 ? 1 : 0;
    case "and":
      return left !== 0 && right !== 0 ? 1 : 0;
    case "==":
      return left === right ? 1 : 0;
    case ">":
      return left > right ? 1 : 0;
    case "+":
      return left + right;
    case "-":
      return left - right;
    case "*":
      return left * right;
    case "/":
      return Math.floor(left / right);
  }
}
