/** Something outside broke (a provider, a supplier, the mail service). Jobs retry it; screens show one calm sentence. */
export class OperationalError extends Error {
  readonly service: string
  readonly retryAfterMs: number | undefined

  /** `message` is for the log; it must hold no secret and no address with a key in it. */
  constructor(service: string, message: string, options: { retryAfterMs?: number; cause?: unknown } = {}) {
    super(`${service}: ${message}`, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'OperationalError'
    this.service = service
    this.retryAfterMs = options.retryAfterMs
  }
}

/** A bug: something that cannot be, was. Never caught inside a module. */
export class InvariantError extends Error {
  constructor(sentence: string) {
    super(sentence)
    this.name = 'InvariantError'
  }
}

/** Throws InvariantError when the condition does not hold. The sentence says what should have been true. */
export function invariant(condition: unknown, sentence: string): asserts condition {
  if (!condition) throw new InvariantError(sentence)
}
