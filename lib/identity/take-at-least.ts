/**
 * Does the work and answers not before `floorMs` have passed since the start. For answers that must not tell by their time whether an
 * account exists: both branches end well below the floor, so both take the floor.
 */
export async function takeAtLeast<Value>(floorMs: number, work: () => Promise<Value>): Promise<Value> {
  const floor = new Promise((resolve) => setTimeout(resolve, floorMs))
  const [outcome] = await Promise.allSettled([work(), floor])
  if (outcome.status === 'rejected') throw outcome.reason
  return outcome.value
}

/** Comfortably above hashing a password and writing an account on a busy machine, and still quick for a person. */
export const ANSWER_FLOOR_MS = 250
