import type { Metadata } from 'next'
import { getLocale, getTranslations } from 'next-intl/server'
import Link from 'next/link'
import { notFound } from 'next/navigation'
import { MaintenanceLines } from '@/components/announcements/maintenance-notes'
import { BULK_PLACES } from '@/components/holdings/bulk-places'
import { ChangeLog, GuaranteeClock } from '@/components/holdings/proxy-cards'
import { LastCheck, placeOf, Standing } from '@/components/holdings/proxy-words'
import { ProxyList } from '@/components/orders/proxy-list'
import { PROXY_TEXTS, type ProxyTexts } from '@/components/orders/proxy-texts'
import { ActionForm } from '@/components/ui/action-form'
import { Alert } from '@/components/ui/alert'
import { Card } from '@/components/ui/card'
import { TextAreaField, TextField } from '@/components/ui/field'
import { PageHeader } from '@/components/ui/page-header'
import { shortId } from '@/components/ui/short-id'
import { SubmitButton } from '@/components/ui/submit-button'
import { Code, Facts } from '@/components/ui/table'
import { ExactTime } from '@/components/ui/time'
import { env } from '@/lib/env'
import { findMarks, findProxy, listProxyChanges, MARK_LIMITS } from '@/lib/holdings'
import { requireUser } from '@/lib/web'
import { markAction, selectAction } from '../actions'

type Props = { params: Promise<{ allocationId: string }> }

export async function generateMetadata(): Promise<Metadata> {
  return { title: (await getTranslations('proxies'))('proxy') }
}

export default async function ProxyPage({ params }: Props) {
  const user = await requireUser()
  const own = { userId: user.id, allocationId: (await params).allocationId }
  const proxy = await findProxy(own)
  if (!proxy) notFound()
  const [say, orders, common, locale, marks, changes] = await Promise.all([
    getTranslations('proxies'),
    getTranslations('orders'),
    getTranslations('common'),
    getLocale(),
    findMarks(own),
    listProxyChanges({ ...own, orderId: proxy.orderId }),
  ])
  const texts = {
    ...(Object.fromEntries(PROXY_TEXTS.map((key) => [key, orders.raw(key) as string])) as ProxyTexts),
    copy: common('copy'),
    copied: common('copied'),
    show: common('show'),
    hide: common('hide'),
  }
  const { id, host, port, username, password } = proxy
  const isHeld = proxy.standing !== 'ended'
  const country = new Intl.DisplayNames([locale], { type: 'region' }).of(proxy.countryCode) ?? proxy.countryCode
  const facts: [string, React.ReactNode][] = [
    [say('address'), <Code key="address">{placeOf(proxy)}</Code>],
    [say('country'), country],
    [say('expires'), <ExactTime key="expires" at={proxy.expiresAt} />],
    ...(proxy.standing === 'grace' && proxy.graceUntil
      ? [[say('graceUntil'), <ExactTime key="grace" at={proxy.graceUntil} />] satisfies [string, React.ReactNode]]
      : []),
    [say('lastCheck'), <LastCheck key="check" proxy={proxy} />],
    ...(proxy.lastOk
      ? [
          [say('exit'), <Code key="exit">{proxy.lastExit}</Code>] satisfies [string, React.ReactNode],
          [say('latency'), say('milliseconds', { count: proxy.lastLatencyMs ?? 0 })] satisfies [
            string,
            React.ReactNode,
          ],
        ]
      : []),
    [
      say('order'),
      <Link key="order" href={`/account/orders/${proxy.orderId}`} className="font-mono text-accent underline">
        {shortId(proxy.orderId)}
      </Link>,
    ],
  ]
  return (
    <>
      <PageHeader
        back={
          <Link href="/account/proxies" className="text-accent underline">
            {say('allProxies')}
          </Link>
        }
        title={
          <span className="flex flex-wrap items-center gap-x-3 gap-y-1">
            <span className="break-all">{marks.label || placeOf(proxy)}</span>
            <Standing proxy={proxy} />
          </span>
        }
        lead={say.rich(isHeld ? 'isHeld' : 'hasEnded', { until: () => <ExactTime at={proxy.expiresAt} /> })}
      />
      <div className="grid items-start gap-6 grid-cols-[minmax(0,1fr)] xl:grid-cols-[minmax(0,1fr)_22rem]">
        <div className="flex min-w-0 flex-col gap-6">
          <MaintenanceLines userId={user.id} allocationId={proxy.id} />
          {proxy.exchangeAskedAt && proxy.exchangeUntil && (
            <Alert tone="info">
              {say.rich('beingExchanged', {
                at: () => <ExactTime key="at" at={proxy.exchangeAskedAt!} />,
                until: () => <ExactTime key="until" at={proxy.exchangeUntil!} />,
              })}
            </Alert>
          )}
          {isHeld && (
            <Card title={say('use')}>
              <ProxyList
                proxies={[{ id, host, port, username, password }]}
                target={new URL('/api/health', env().PUBLIC_URL).href}
                texts={texts}
              />
            </Card>
          )}
          <Card title={say('marks')} lead={say('marksLead')}>
            <ActionForm action={markAction} className="flex flex-col gap-4">
              <input type="hidden" name="allocationId" value={id} />
              <TextField name="label" label={say('label')} defaultValue={marks.label} maxLength={MARK_LIMITS.label} />
              <TextField
                name="tags"
                label={say('tags')}
                help={say('tagsHelp', { proxy: MARK_LIMITS.tagsPerProxy, all: MARK_LIMITS.tagsInAll })}
                defaultValue={marks.tags.join(', ')}
              />
              <TextAreaField
                name="note"
                label={say('note')}
                className="min-h-24"
                defaultValue={marks.note}
                maxLength={MARK_LIMITS.note}
              />
              <SubmitButton variant="secondary" className="self-start">
                {say('saveMarks')}
              </SubmitButton>
            </ActionForm>
          </Card>
          <Card title={say('changes')}>
            <ChangeLog changes={changes} />
          </Card>
        </div>
        <div className="flex min-w-0 flex-col gap-6">
          <Card title={say('details')}>
            <Facts facts={facts} />
            {isHeld && (
              <ActionForm action={selectAction} className="mt-4 flex flex-wrap gap-2">
                <input type="hidden" name="ids" value={id} />
                {BULK_PLACES.filter((place) => place.name !== 'retag').map(({ name }) => (
                  <SubmitButton key={name} name="do" value={name} variant="secondary" size="sm">
                    {say(`do_${name}` as 'do_renew')}
                  </SubmitButton>
                ))}
              </ActionForm>
            )}
          </Card>
          <Card title={say('guarantee')} lead={say('guaranteeLead')}>
            <GuaranteeClock guarantees={proxy.guarantees} />
          </Card>
        </div>
      </div>
    </>
  )
}
