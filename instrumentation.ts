import { log } from '@/lib/log'
import { loggedPath } from '@/lib/web/faults'

/** Logs what broke while a page was drawn, under the digest that the screen shows as its reference. */
export function onRequestError(error: unknown, request: { path: string; method: string }): void {
  const reference = (error as { digest?: string }).digest
  // The query is cut off: links from mails carry their secret there; so are the tokens of feeds.
  const where = `${request.method} ${loggedPath(request.path)}`
  log('web').error({ reference, where, error }, 'a page could not be drawn')
}
