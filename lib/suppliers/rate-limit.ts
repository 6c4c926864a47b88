/**
 * Lets through at most `count` calls in any `windowMs`, in the order in which they came. It speaks for this process only: several
 * workers together can still be told "too many requests", which the adapters report as a fault to repeat.
 */
export function createRateLimit(count: number, windowMs: number): () => Promise<void> {
  const starts: number[] = []
  let queue = Promise.resolve()
  return () => {
    const turn = queue.then(async () => {
      const oldest = starts.length < count ? undefined : starts.shift()
      const waitMs = oldest === undefined ? 0 : oldest + windowMs - Date.now()
      if (waitMs > 0) await new Promise((resolve) => setTimeout(resolve, waitMs))
      starts.push(Date.now())
    })
    queue = turn
    return turn
  }
}

/** Lets calls start one after another, each no sooner after the one before it than that one asked for. */
export function createSpacing(): (gapMs: number) => Promise<void> {
  let freeAt = 0
  let queue = Promise.resolve()
  return (gapMs) => {
    const turn = queue.then(async () => {
      const waitMs = freeAt - Date.now()
      if (waitMs > 0) await new Promise((resolve) => setTimeout(resolve, waitMs))
      freeAt = Date.now() + gapMs
    })
    queue = turn
    return turn
  }
}
