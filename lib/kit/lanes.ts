const lanes = new Map<string, Promise<unknown>>()

/**
 * Runs work one at a time per key within this process, in order of arrival. It guards nothing (locks in the database do): it only keeps many
 * requests for one hot row from queueing inside the database, where sixteen do less than half the work of one
 * (docs/decisions/0002).
 */
export async function inLane<Value>(key: string, work: () => Promise<Value>): Promise<Value> {
  const before = lanes.get(key)
  const run = before ? before.then(work, work) : work()
  const settled = run.then(
    () => undefined,
    () => undefined,
  )
  lanes.set(key, settled)
  try {
    return await run
  } finally {
    if (lanes.get(key) === settled) lanes.delete(key)
  }
}
