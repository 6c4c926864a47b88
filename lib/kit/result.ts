/**
 * An expected no: a stable snake_case code and the facts that explain it. A refusal is a value, so that the
 * compiler makes the caller look at it; screens turn the code into words (lib/web/errors.ts).
 */
export type Refusal<Code extends string = string> = { code: Code; facts: Record<string, unknown> }

export type Result<Value, R extends Refusal = Refusal> = { ok: true; value: Value } | { ok: false; refusal: R }

export function accepted<Value>(value: Value): { ok: true; value: Value } {
  return { ok: true, value }
}

export function refused<Code extends string>(
  code: Code,
  facts: Record<string, unknown> = {},
): { ok: false; refusal: Refusal<Code> } {
  return { ok: false, refusal: { code, facts } }
}
