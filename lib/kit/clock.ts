/** Where time comes from. Functions that decide by time take one, so that tests can set it. */
export type Clock = () => Date

export const systemClock: Clock = () => new Date()

export const SECOND_MS = 1_000
export const MINUTE_MS = 60_000
export const HOUR_MS = 60 * MINUTE_MS
export const DAY_MS = 24 * HOUR_MS
