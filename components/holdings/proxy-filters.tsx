import { getLocale, getTranslations } from 'next-intl/server'
import Link from 'next/link'
import { Button } from '@/components/ui/button'
import { buttonStyles } from '@/components/ui/button-styles'
import { Input, Label, Select } from '@/components/ui/input'
import { findPlan } from '@/lib/catalog'
import {
  type listProxyFacets,
  PROXY_CHECKS,
  PROXY_SORTS,
  PROXY_STATES,
  type ProxyFilter,
  type ProxyOrder,
} from '@/lib/holdings'

const DAYS = [1, 3, 7, 14, 30]

/** The filter of the table: a plain form whose answer is an address. */
export async function ProxyFilters({
  filter,
  sort,
  facets,
}: {
  filter: ProxyFilter
  sort: ProxyOrder | undefined
  facets: Awaited<ReturnType<typeof listProxyFacets>>
}) {
  const [say, common, locale] = await Promise.all([getTranslations('proxies'), getTranslations('common'), getLocale()])
  const countries = new Intl.DisplayNames([locale], { type: 'region' })
  const plans = await Promise.all(
    facets.planIds.map(async (id) => {
      const found = await findPlan(id)
      return { id, name: found ? (locale === 'ru' ? found.plan.nameRu : found.plan.nameEn) : id }
    }),
  )
  const days = filter.days && !DAYS.includes(filter.days) ? [...DAYS, filter.days].sort((a, b) => a - b) : DAYS
  const choices = [
    { name: 'state', value: filter.state ?? 'held', options: PROXY_STATES.map((each) => [each, say(`state_${each}`)]) },
    {
      name: 'country',
      value: filter.country ?? '',
      options: [['', say('any')], ...facets.countries.map((code) => [code, countries.of(code) ?? code])],
    },
    {
      name: 'plan',
      value: filter.plan ?? '',
      options: [['', say('any')], ...plans.map((plan) => [plan.id, plan.name])],
    },
    {
      name: 'tag',
      value: filter.tag ?? '',
      options: [['', say('any')], ...facets.tags.map(({ tag, count }) => [tag, `${tag} (${count})`])],
    },
    {
      name: 'days',
      value: String(filter.days ?? ''),
      options: [['', say('any')], ...days.map((each) => [String(each), common('days', { count: each })])],
    },
    {
      name: 'check',
      value: filter.check ?? '',
      options: [['', say('any')], ...PROXY_CHECKS.map((each) => [each, say(`check_${each}`)])],
    },
    {
      name: 'sort',
      value: sort ?? 'expiry',
      options: PROXY_SORTS.flatMap((each) => [
        [each, say(`sort_${each}`)],
        [`-${each}`, say('sortBack', { sort: say(`sort_${each}`) })],
      ]),
    },
  ] as const
  return (
    <form action="/account/proxies" className="mb-4 flex flex-col gap-3">
      {filter.order && <input type="hidden" name="order" value={filter.order} />}
      <div className="grid gap-3 grid-cols-2 sm:grid-cols-4 xl:grid-cols-8">
        <div className="col-span-2 flex min-w-0 flex-col gap-1 sm:col-span-1">
          <Label htmlFor="filter-q">{say('search')}</Label>
          <Input
            id="filter-q"
            name="q"
            type="search"
            maxLength={100}
            defaultValue={filter.q}
            placeholder={say('searchHint')}
          />
        </div>
        {choices.map(({ name, value, options }) => (
          <div key={name} className="flex min-w-0 flex-col gap-1">
            <Label htmlFor={`filter-${name}`}>{say(`filter_${name}`)}</Label>
            <Select id={`filter-${name}`} name={name} defaultValue={value}>
              {options.map(([option, text]) => (
                <option key={option} value={option}>
                  {text}
                </option>
              ))}
            </Select>
          </div>
        ))}
      </div>
      <div className="flex flex-wrap gap-2">
        <Button type="submit" variant="secondary" size="sm">
          {say('apply')}
        </Button>
        <Link href="/account/proxies" className={buttonStyles({ variant: 'quiet', size: 'sm' })}>
          {say('clear')}
        </Link>
      </div>
    </form>
  )
}
