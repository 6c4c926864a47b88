import { timingSafeEqual } from 'node:crypto'
import { boundedText, OperationalError } from '@/lib/kit'
import type { z } from 'zod'
import type { PaidPayment } from './provider'

/** How long a provider may think. Longer, and a customer who waits on the button has left. */
const TIMEOUT_MS = 10_000
/** A hundred invoices in full are under 400 kB. */
const MAX_ANSWER_BYTES = 4_000_000

/** Nobody answered: no such host, a closed door, silence, or a redirect, which is not followed. */
export class UnreachableError extends OperationalError {}

/** The vendor answered in a shape that was not agreed. */
export class ShapeError extends OperationalError {}

export type Answer = { status: number; body: unknown }

/**
 * One call to a provider's API. Redirects are refused (a key must not travel to another host), answers are bounded and must be JSON.
 * Throws OperationalError when nothing sensible comes back; its text names the provider and the kind of trouble, never what the
 * vendor wrote and never the address.
 */
export async function callProvider(
  provider: string,
  url: URL,
  request: { method: 'GET' | 'POST'; headers: Record<string, string>; body?: string },
  timeoutMs = TIMEOUT_MS,
): Promise<Answer> {
  let answer: Response
  let text: string
  try {
    answer = await fetch(url, { ...request, redirect: 'error', signal: AbortSignal.timeout(timeoutMs) })
    text = await boundedText(answer, MAX_ANSWER_BYTES)
  } catch (error) {
    if (error instanceof OperationalError) throw error
    const isTimeout = error instanceof Error && error.name === 'TimeoutError'
    throw new UnreachableError(provider, isTimeout ? 'did not answer in time' : 'could not be reached')
  }
  if (answer.status === 429 || answer.status >= 500) {
    const seconds = Number(answer.headers.get('retry-after'))
    const retryAfterMs = Number.isInteger(seconds) && seconds > 0 ? Math.min(seconds, 3600) * 1000 : undefined
    throw new OperationalError(provider, `answered ${answer.status}`, { retryAfterMs })
  }
  try {
    return { status: answer.status, body: JSON.parse(text) as unknown }
  } catch {
    throw new OperationalError(provider, `answered ${answer.status} and no JSON`)
  }
}

/** The answer in the expected shape. Throws OperationalError that names the call and the places that do not fit, not their content. */
export function readAnswer<T>(provider: string, call: string, schema: z.ZodType<T>, body: unknown): T {
  const parsed = schema.safeParse(body)
  if (parsed.success) return parsed.data
  const places = parsed.error.issues.map((issue) => issue.path.join('.')).slice(0, 5)
  throw new ShapeError(provider, `answered ${call} in another shape: ${places.join(', ')}`)
}

/**
 * Every row of a list that has the expected shape. One odd row must not hold up ninety-nine good ones, so it is left out; when nothing
 * else came, it is an OperationalError, so that the one who asked for this row tries again and it becomes visible.
 */
export function readEach<T>(provider: string, schema: z.ZodType<T>, rows: unknown[]): T[] {
  if (rows.length === 1) return [readAnswer(provider, 'a row', schema, rows[0])]
  return rows.flatMap((row) => {
    const parsed = schema.safeParse(row)
    return parsed.success ? [parsed.data] : []
  })
}

/** Every row of a vendor's list in the expected shape. A list is compared with our books, so one odd row makes the whole an OperationalError. */
export function readAll<T>(provider: string, schema: z.ZodType<T>, rows: readonly unknown[]): T[] {
  return rows.map((row) => readAnswer(provider, 'a row of the list', schema, row))
}

/** More pages than any shop fills in a week. A vendor that always has another one must not keep us for ever. */
const PAGES_MAX = 1_000

/**
 * Reads a list page by page until there is no next one: `read` gets the mark of the page, first undefined. Throws OperationalError after a
 * thousand pages, and when a page leads back to itself.
 */
export async function readPages<Row, Mark>(
  provider: string,
  read: (mark: Mark | undefined) => Promise<{ rows: Row[]; next: Mark | null }>,
): Promise<Row[]> {
  const rows: Row[] = []
  let mark: Mark | undefined
  for (let page = 0; page < PAGES_MAX; page += 1) {
    const answer = await read(mark)
    rows.push(...answer.rows)
    if (answer.next === null) return rows
    if (answer.next === mark) throw new OperationalError(provider, 'repeats a page of its list')
    mark = answer.next
  }
  throw new OperationalError(provider, 'has no end of its list')
}

/** What was paid, each payment once: a list that moves while it is read may show one twice. */
export function paidOnce(payments: readonly PaidPayment[]): PaidPayment[] {
  return [...new Map(payments.map((each) => [each.providerPaymentId, each])).values()]
}

/** Slices of at most `size`. */
export function inBatches<T>(items: readonly T[], size: number): T[][] {
  const batches: T[][] = []
  for (let start = 0; start < items.length; start += size) batches.push(items.slice(start, start + size))
  return batches
}

/** Does something for every item, at most `width` at a time, and keeps their order. The first failure ends it. */
export async function mapAtMost<T, R>(items: readonly T[], width: number, work: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = []
  let next = 0
  async function lane(): Promise<void> {
    for (let index = next++; index < items.length; index = next++) results[index] = await work(items[index]!)
  }
  await Promise.all(Array.from({ length: Math.min(width, items.length) }, lane))
  return results
}

/**
 * What `read` makes of every item, at most `width` at a time. An answer in another shape than agreed must not hold up the others, so its item is left out;
 * asked for alone it throws, and becomes visible. Every other failure ends it.
 */
export async function readApart<T, R>(items: readonly T[], width: number, read: (item: T) => Promise<R>): Promise<R[]> {
  const found = await mapAtMost(items, width, async (item) => {
    try {
      return [await read(item)]
    } catch (error) {
      if (items.length === 1 || !(error instanceof ShapeError)) throw error
      return []
    }
  })
  return found.flatMap((each) => each)
}

/** JSON text as a value; null when it is none. For callbacks, whose content is whatever somebody sent. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}

/** Whether a text is the lower-case hex of the expected bytes, compared in constant time. */
export function isSameHex(given: string, expected: Buffer): boolean {
  // Buffer.from drops everything after the first bad digit and timingSafeEqual throws on unequal lengths, so the shape comes first.
  if (given.length !== expected.length * 2 || !/^[0-9a-f]+$/.test(given)) return false
  return timingSafeEqual(Buffer.from(given, 'hex'), expected)
}
