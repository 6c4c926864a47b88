import type { z } from 'zod'

/** A kind of work for the worker: its name (`module.verb`), what it is told, how often it is tried. */
export type Job<Payload> = {
  name: string
  payload: z.ZodType<Payload>
  maxAttempts: number
}

/**
 * Declares a job. The default of 12 attempts spans about eleven hours with graphile-worker's exponential backoff, which outlasts
 * a night's outage of a provider; after that the job stays, failed and visible, for a person.
 */
export function defineJob<Payload>(job: {
  name: string
  payload: z.ZodType<Payload>
  maxAttempts?: number
}): Job<Payload> {
  return { maxAttempts: 12, ...job }
}

/** What runs a job. It may run twice for one job; it learns what is done from rows under lock, not from memory. */
export type Handler<Payload> = (payload: Payload) => Promise<void>
