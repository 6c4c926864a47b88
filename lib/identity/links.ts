import { env } from '@/lib/env'

/** An address in the shop. Links are built from PUBLIC_URL only, never from what a request says its host is. */
export function shopUrl(path: string, query: Record<string, string> = {}): string {
  const url = new URL(path, env().PUBLIC_URL)
  for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value)
  return url.toString()
}
