import { getLocale, getTranslations } from 'next-intl/server'
import Link from 'next/link'
import type { ReactNode } from 'react'
import { MaintenanceMark } from '@/components/announcements/maintenance-notes'
import { shortId } from '@/components/ui/short-id'
import { DataTable, Place } from '@/components/ui/table'
import { ExactTime } from '@/components/ui/time'
import type { AnnouncedMaintenance } from '@/lib/announcements'
import type { HeldProxy } from '@/lib/holdings'
import { LastCheck, placeOf, Standing, Tags } from './proxy-words'

/** Somebody's proxies with a box each; on phones, cards. */
export async function ProxyTable({
  proxies,
  maintenance,
  empty,
}: {
  proxies: HeldProxy[]
  /** What is announced for which of them. */
  maintenance: ReadonlyMap<string, AnnouncedMaintenance>
  empty: ReactNode
}) {
  const [say, locale] = await Promise.all([getTranslations('proxies'), getLocale()])
  const countries = new Intl.DisplayNames([locale], { type: 'region' })
  return (
    <DataTable
      caption={say('caption')}
      rows={proxies}
      rowKey={(proxy) => proxy.id}
      empty={empty}
      columns={[
        {
          key: 'choose',
          head: say('choose'),
          cell: (proxy) => (
            <input
              type="checkbox"
              name="ids"
              value={proxy.id}
              aria-label={say('chooseOne', { proxy: placeOf(proxy) })}
              className="size-5 accent-accent align-middle"
            />
          ),
        },
        {
          key: 'proxy',
          head: say('proxy'),
          cell: (proxy) => (
            <>
              <Link href={`/account/proxies/${proxy.id}`} prefetch={false} className="text-accent underline">
                <Place>{placeOf(proxy)}</Place>
              </Link>
              {proxy.label && <span className="block font-medium break-words">{proxy.label}</span>}
              {proxy.note && (
                <span title={proxy.note} className="block max-w-56 truncate text-xs text-muted max-sm:ml-auto">
                  {proxy.note}
                </span>
              )}
            </>
          ),
        },
        {
          key: 'state',
          head: say('state'),
          cell: (proxy) => {
            const announced = maintenance.get(proxy.id)
            return (
              <>
                <Standing proxy={proxy} />
                {announced && <MaintenanceMark maintenance={announced} />}
              </>
            )
          },
        },
        {
          key: 'country',
          head: say('country'),
          cell: (proxy) => countries.of(proxy.countryCode) ?? proxy.countryCode,
        },
        {
          key: 'expires',
          head: say('expires'),
          cell: (proxy) => (
            <>
              <ExactTime at={proxy.expiresAt} />
              {proxy.autoRenew && proxy.standing !== 'ended' && (
                <span className="block text-xs text-muted">{say('renewsItself')}</span>
              )}
            </>
          ),
        },
        { key: 'check', head: say('lastCheck'), cell: (proxy) => <LastCheck proxy={proxy} /> },
        { key: 'tags', head: say('tags'), cell: (proxy) => (proxy.tags.length > 0 ? <Tags tags={proxy.tags} /> : '–') },
        {
          key: 'order',
          head: say('order'),
          cell: (proxy) => (
            <Link
              href={`/account/orders/${proxy.orderId}`}
              prefetch={false}
              className="font-mono text-accent underline"
            >
              {shortId(proxy.orderId)}
            </Link>
          ),
        },
      ]}
    />
  )
}
