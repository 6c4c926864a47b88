import { getTranslations } from 'next-intl/server'
import Link from 'next/link'
import { buttonStyles } from './button-styles'
import { withQuery } from './search-params'

/**
 * Back to the newest and on to older, as links: pages by cursor have no numbers. `before` is what this page was asked with, `nextBefore` what the
 * next one is asked with; `query` is kept on the way. Nothing is drawn when everything is on one page.
 */
export async function Pagination({
  path,
  query,
  before,
  nextBefore,
}: {
  path: string
  query?: Record<string, string | undefined>
  before: string | undefined
  nextBefore: string | null
}) {
  if (before === undefined && nextBefore === null) return null
  const say = await getTranslations('common')
  const style = buttonStyles({ variant: 'secondary', size: 'sm' })
  return (
    <nav aria-label={say('pages')} className="mt-4 flex justify-between gap-2">
      {before === undefined ? (
        <span />
      ) : (
        <Link href={withQuery(path, query ?? {})} className={style}>
          ← {say('previousPage')}
        </Link>
      )}
      {nextBefore !== null && (
        <Link href={withQuery(path, { ...query, before: nextBefore })} className={style}>
          {say('nextPage')} →
        </Link>
      )}
    </nav>
  )
}
