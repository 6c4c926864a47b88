import { getTranslations } from 'next-intl/server'

/** How many can be had in a country. Null: the supplier is asked when somebody orders. */
export async function Available({ count }: { count: number | null }) {
  const say = await getTranslations('catalogue')
  if (count === null) return <span className="text-muted">{say('onOrder')}</span>
  return (
    <span className={count === 0 ? 'text-bad' : 'text-good'}>
      <span aria-hidden="true">{count === 0 ? '✕' : '✓'} </span>
      {say('available', { count })}
    </span>
  )
}
