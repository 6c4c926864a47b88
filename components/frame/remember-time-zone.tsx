'use client'

import { useRouter } from 'next/navigation'
import { useEffect } from 'react'

/** Tells the server which time zone the person is in, by a cookie, and has the page drawn anew when that was not known. */
export function RememberTimeZone({ cookie, known }: { cookie: string; known: string | null }) {
  const router = useRouter()
  useEffect(() => {
    const zone = encodeURIComponent(Intl.DateTimeFormat().resolvedOptions().timeZone)
    if (!zone || (known !== null && encodeURIComponent(known) === zone) || known === zone) return
    const secure = location.protocol === 'https:' ? '; secure' : ''
    document.cookie = `${cookie}=${zone}; path=/; max-age=31536000; samesite=lax${secure}`
    router.refresh()
  }, [cookie, known, router])
  return null
}
