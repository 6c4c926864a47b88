import type { Visit } from '@/lib/identity'
import { addressOf } from './address-of'

/** What a request tells about who comes, for marks (lib/identity/marks.ts). */
export function visitOf(headers: Headers): Visit {
  return {
    address: addressOf(headers),
    userAgent: headers.get('user-agent')?.slice(0, 400) ?? null,
    languages: headers.get('accept-language')?.slice(0, 100) ?? null,
  }
}
