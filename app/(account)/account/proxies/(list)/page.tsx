import type { Metadata } from 'next'
import { getTranslations } from 'next-intl/server'
import Link from 'next/link'
import { BULK_PLACES } from '@/components/holdings/bulk-places'
import { ChooseAll } from '@/components/holdings/choose-all'
import { ProxyFilters } from '@/components/holdings/proxy-filters'
import { ProxyTable } from '@/components/holdings/proxy-table'
import { SavedViews } from '@/components/holdings/saved-views'
import { ActionForm } from '@/components/ui/action-form'
import { ButtonLink } from '@/components/ui/button'
import { buttonStyles } from '@/components/ui/button-styles'
import { EmptyState } from '@/components/ui/empty-state'
import { PageHeader } from '@/components/ui/page-header'
import { oneOf, type SearchParams, withQuery } from '@/components/ui/search-params'
import { shortId } from '@/components/ui/short-id'
import { SubmitButton } from '@/components/ui/submit-button'
import { findMaintenanceOf } from '@/lib/announcements'
import {
  countProxies,
  filterQuery,
  listProxies,
  listProxyFacets,
  listViews,
  proxyFilterSchema,
  proxySortSchema,
  readFilter,
} from '@/lib/holdings'
import { requireUser } from '@/lib/web'
import { dropViewAction, saveViewAction, selectAction } from '../actions'

export async function generateMetadata(): Promise<Metadata> {
  return { title: (await getTranslations('proxies'))('title') }
}

export default async function ProxiesPage({ searchParams }: { searchParams: SearchParams }) {
  const user = await requireUser()
  const params = await searchParams
  const filter = proxyFilterSchema.parse(params)
  const sort = proxySortSchema.parse(oneOf(params.sort))
  const after = oneOf(params.after)
  const userId = user.id
  const [say, page, matching, works, all, facets, views] = await Promise.all([
    getTranslations('proxies'),
    listProxies({ userId, filter, sort, after }),
    countProxies({ userId, filter }),
    countProxies({ userId, filter: { state: 'live' } }),
    countProxies({ userId, filter: { state: 'all' } }),
    listProxyFacets({ userId }),
    listViews({ userId }),
  ])
  const maintenance = await findMaintenanceOf({ userId, allocationIds: page.rows.map(({ id }) => id) })
  const query = filterQuery(filter)
  const here = { ...Object.fromEntries(new URLSearchParams(query)), sort }
  const buy = <ButtonLink href="/catalogue">{say('buy')}</ButtonLink>
  if (all === 0)
    return (
      <>
        <PageHeader title={say('title')} lead={say('lead', { count: 0 })} />
        <EmptyState title={say('emptyTitle')} action={buy}>
          {say('emptyText')}
        </EmptyState>
      </>
    )
  return (
    <>
      <PageHeader
        title={say('title')}
        lead={say('lead', { count: works })}
        action={
          <>
            <ButtonLink href={`/account/proxies/export${query && `?${query}`}`} variant="secondary">
              {say('toExport')}
            </ButtonLink>
            <ButtonLink href="/account/planner" variant="secondary">
              {say('toPlanner')}
            </ButtonLink>
          </>
        }
      />
      <SavedViews
        views={views.map((view) => ({ ...view, isHere: filterQuery(readFilter(view.query)) === query }))}
        query={query}
        actions={{ save: saveViewAction, drop: dropViewAction }}
      />
      <ProxyFilters key={query + sort} filter={filter} sort={sort} facets={facets} />
      {filter.order && <p className="mb-3">{say('ofOrder', { id: shortId(filter.order) })}</p>}
      {page.rows.length === 0 ? (
        <EmptyState
          title={say('noneTitle')}
          action={
            <ButtonLink href="/account/proxies" variant="secondary">
              {say('clear')}
            </ButtonLink>
          }
        >
          {say('noneText')}
        </EmptyState>
      ) : (
        <ActionForm key={query} action={selectAction} className="flex flex-col gap-3">
          <input type="hidden" name="query" value={query} />
          <div className="flex flex-wrap items-center gap-2 rounded-md border bg-surface p-2">
            <ChooseAll
              texts={{ all: say('chooseAll'), none: say('chooseNone'), chosen: say.raw('chosen') as string }}
            />
            <label className="flex min-h-8 items-center gap-2 px-2">
              <input type="checkbox" name="all" className="size-5 accent-accent" />
              {say('everything', { count: matching })}
            </label>
            <span className="flex flex-wrap gap-2 sm:ml-auto">
              {BULK_PLACES.map(({ name }) => (
                <SubmitButton key={name} name="do" value={name} variant="secondary" size="sm">
                  {say(`do_${name}` as 'do_renew')}
                </SubmitButton>
              ))}
            </span>
          </div>
          <ProxyTable proxies={page.rows} maintenance={maintenance} empty={null} />
        </ActionForm>
      )}
      {(after !== undefined || page.nextAfter !== null) && (
        <nav aria-label={say('pages')} className="mt-4 flex justify-between gap-2">
          {after === undefined ? (
            <span />
          ) : (
            <Link
              href={withQuery('/account/proxies', here)}
              className={buttonStyles({ variant: 'secondary', size: 'sm' })}
            >
              ← {say('firstPage')}
            </Link>
          )}
          {page.nextAfter !== null && (
            <Link
              href={withQuery('/account/proxies', { ...here, after: page.nextAfter })}
              className={buttonStyles({ variant: 'secondary', size: 'sm' })}
            >
              {say('nextPage')} →
            </Link>
          )}
        </nav>
      )}
    </>
  )
}
