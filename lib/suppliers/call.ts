import { boundedText, OperationalError } from '@/lib/kit'
import type { z } from 'zod'
import { UnknownOutcomeError } from './supplier'

/** Longer than any answer seen, shorter than a job's patience; after it a purchase is looked up. */
const DEFAULT_TIMEOUT_MS = 30_000
/** A list of a thousand proxies is under 1 MB. */
const MAX_ANSWER_BYTES = 16_000_000
const DEFAULT_RETRY_AFTER_MS = 2_000
/** With these the request never left this machine. */
const NOT_SENT = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'ENETUNREACH', 'UND_ERR_CONNECT_TIMEOUT'])

/** The call was sent, and what came back says nothing certain about what was done. */
export class UnclearAnswer extends Error {
  /** Of the answer, where there was one. */
  readonly status: number | undefined
  constructor(message: string, status?: number) {
    super(message)
    this.status = status
  }
}

export type SupplierAnswer = { status: number; body: unknown }

export type SupplierCall = {
  method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  /** What the call is named in errors; never the address, which may hold the key. */
  label: string
  url: string
  headers?: Record<string, string>
  /** Sent as JSON. */
  body?: unknown
}

export type CallOptions = { fetch?: typeof fetch; timeoutMs?: number; waitForTurn?: () => Promise<void> }

/**
 * Sends one call to a supplier, once, and reads its JSON answer, whatever status below 500 it has (an empty answer is null). Redirects are
 * refused: a key must not travel to another host. Throws OperationalError when the call certainly did nothing (never sent, or "too many
 * requests"), and UnclearAnswer when nobody knows (silence, a 5xx, half an answer, no JSON). No error holds the address or what the supplier wrote.
 */
export async function sendCall(
  supplier: string,
  call: SupplierCall,
  options: CallOptions = {},
): Promise<SupplierAnswer> {
  await options.waitForTurn?.()
  const { label } = call
  let response: Response
  let text: string
  try {
    response = await (options.fetch ?? fetch)(call.url, {
      method: call.method,
      headers: {
        accept: 'application/json',
        ...(call.body === undefined ? {} : { 'content-type': 'application/json' }),
        ...call.headers,
      },
      ...(call.body === undefined ? {} : { body: JSON.stringify(call.body) }),
      redirect: 'error',
      signal: AbortSignal.timeout(options.timeoutMs ?? DEFAULT_TIMEOUT_MS),
    })
    text = await boundedText(response, MAX_ANSWER_BYTES)
  } catch (error) {
    const code = errorCode(error)
    if (NOT_SENT.has(code)) throw new OperationalError(supplier, `${label} was not sent (${code})`)
    throw new UnclearAnswer(`${label} was sent and not answered (${code})`)
  }
  if (response.status === 429) {
    const seconds = Number(response.headers.get('retry-after'))
    const retryAfterMs =
      Number.isInteger(seconds) && seconds > 0 ? Math.min(seconds, 3600) * 1000 : DEFAULT_RETRY_AFTER_MS
    throw new OperationalError(supplier, `${label}: too many requests`, { retryAfterMs })
  }
  if (response.status >= 500)
    throw new UnclearAnswer(`${label} was answered with status ${response.status}`, response.status)
  if (text.trim() === '') return { status: response.status, body: null }
  try {
    return { status: response.status, body: JSON.parse(text) as unknown }
  } catch {
    throw new UnclearAnswer(`${label} was answered with something that is not JSON, or only in part`)
  }
}

/** The answer in the expected shape. Throws UnclearAnswer that names the places that do not fit, not their content. */
export function readShape<Schema extends z.ZodType>(label: string, schema: Schema, body: unknown): z.infer<Schema> {
  const parsed = schema.safeParse(body)
  if (parsed.success) return parsed.data
  const places = parsed.error.issues.slice(0, 3).map((issue) => issue.path.join('.'))
  throw new UnclearAnswer(`${label} was answered in an unknown shape (${places.join(', ')})`)
}

/** For calls that change nothing: what is unclear is a fault to repeat; after status 503, which some say "slow down" with, not at once. */
export async function asking<T>(supplier: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (error instanceof UnclearAnswer)
      throw new OperationalError(
        supplier,
        error.message,
        error.status === 503 ? { retryAfterMs: DEFAULT_RETRY_AFTER_MS } : {},
      )
    throw error
  }
}

/** For calls that spend or change: what is unclear has an unknown outcome. */
export async function spending<T>(supplier: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (error instanceof UnclearAnswer) throw new UnknownOutcomeError(supplier, error.message)
    throw error
  }
}

/** The code of a failed fetch, without its message: that may hold the address, and the address may hold the key. */
function errorCode(error: unknown): string {
  const { name, cause } = error as { name?: string; cause?: { code?: string } }
  return cause?.code ?? name ?? 'unknown'
}
