'use client'

import { useRouter } from 'next/navigation'
import { useEffect } from 'react'

/** Every two seconds for the first minutes, when most waits end; then less often, so that a forgotten tab costs little. */
const GAP_MS = 2_000
const LONG_GAP_MS = 10_000
const PATIENCE_MS = 3 * 60_000

/** Has the page drawn anew while it stands on it, as long as the tab is in sight. The page leaves it out when the wait is over. */
export function RefreshWhile() {
  const router = useRouter()
  useEffect(() => {
    const since = Date.now()
    let timer: ReturnType<typeof setTimeout>
    const wait = () => {
      timer = setTimeout(
        () => {
          if (!document.hidden) router.refresh()
          wait()
        },
        Date.now() - since < PATIENCE_MS ? GAP_MS : LONG_GAP_MS,
      )
    }
    wait()
    return () => clearTimeout(timer)
  }, [router])
  return null
}
