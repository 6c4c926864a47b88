/** How old a process's copy may get: so long after a change other processes still go by what was. */
const MAX_AGE_MS = 2_000
type Kept = { readAt: number; value: Promise<unknown> }
/** One of each name for the process, however many times a bundler brings this file along. */
const holder = globalThis as { sluiceCopies?: Map<string, Kept> }

/**
 * A copy in this process of what `read` tells, two seconds old at most, so that what is asked all the time costs no question. `forget` is for the command
 * that changed it. A read that fails is not kept.
 */
export function keepCopy<Value>(name: string, read: () => Promise<Value>) {
  const copies = (holder.sluiceCopies ??= new Map())
  return {
    read(): Promise<Value> {
      const kept = copies.get(name)
      if (kept && Date.now() - kept.readAt <= MAX_AGE_MS) return kept.value as Promise<Value>
      const value = read()
      const mine = { readAt: Date.now(), value }
      copies.set(name, mine)
      value.catch(() => {
        if (copies.get(name) === mine) copies.delete(name)
      })
      return value
    },
    forget(): void {
      copies.delete(name)
    },
  }
}
