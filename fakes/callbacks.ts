/** How the payment stand-ins call the shop: each attempt is built anew (a new timestamp or token), and refused ones are repeated. */
export type Callback = { url: string; headers: Record<string, string>; body: string }

/** Gaps between attempts when the shop does not answer 2xx. A real provider waits for hours; a demo is watched by a person. */
const RETRY_GAPS_MS = [500, 2_000, 5_000, 15_000]
const TIMEOUT_MS = 15_000

/** One attempt. Returns the status, or 0 when nothing answered. Redirects count as failures, as the Standard Webhooks text says. */
export async function sendOnce(callback: Callback): Promise<number> {
  try {
    const answer = await fetch(callback.url, {
      method: 'POST',
      headers: callback.headers,
      body: callback.body,
      redirect: 'manual',
      signal: AbortSignal.timeout(TIMEOUT_MS),
    })
    await answer.arrayBuffer()
    return answer.status
  } catch {
    return 0
  }
}

/** Sends callbacks and repeats refused ones in the background until `stop` is called. */
export class CallbackSender {
  readonly #gapsMs: readonly number[]
  readonly #timers = new Set<NodeJS.Timeout>()
  #stopped = false

  constructor(gapsMs: readonly number[] = RETRY_GAPS_MS) {
    this.#gapsMs = gapsMs
  }

  /** Returns the status of the first attempt; the repeats go on by themselves. */
  async deliver(make: () => Promise<Callback | null>, attempt = 0): Promise<number> {
    const callback = await make()
    if (!callback || this.#stopped) return 0
    const status = await sendOnce(callback)
    const gapMs = this.#gapsMs[attempt]
    if ((status < 200 || status > 299) && gapMs !== undefined && !this.#stopped) {
      const timer = setTimeout(() => {
        this.#timers.delete(timer)
        void this.deliver(make, attempt + 1)
      }, gapMs)
      timer.unref()
      this.#timers.add(timer)
    }
    return status
  }

  stop(): void {
    this.#stopped = true
    for (const timer of this.#timers) clearTimeout(timer)
  }
}

/** Sends the same callback many times, one after the other or all at once, without repeats. Returns the statuses. */
export async function sendMany(
  make: () => Promise<Callback | null>,
  wish: { times: number; concurrently: boolean },
): Promise<number[]> {
  const one = async (): Promise<number> => {
    const callback = await make()
    return callback ? sendOnce(callback) : 0
  }
  if (wish.concurrently) return Promise.all(Array.from({ length: wish.times }, one))
  const statuses: number[] = []
  for (let sent = 0; sent < wish.times; sent += 1) statuses.push(await one())
  return statuses
}
