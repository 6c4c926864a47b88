import { getFormatter, getLocale, getNow, getTranslations } from 'next-intl/server'
import { ActionForm } from '@/components/ui/action-form'
import { Alert } from '@/components/ui/alert'
import { Card } from '@/components/ui/card'
import { SelectField } from '@/components/ui/field'
import { RefreshWhile } from '@/components/ui/refresh-while'
import { Status } from '@/components/ui/status'
import { SubmitButton } from '@/components/ui/submit-button'
import { DataTable, Place } from '@/components/ui/table'
import { ExactTime, RelativeTime } from '@/components/ui/time'
import type { CheckedProxy, CheckView, Downtime, OrderChecks } from '@/lib/checks'
import { MINUTE_MS } from '@/lib/kit'
import type { FormAction } from '@/lib/web'

/** How long a page waits for a receipt by itself: its job comes within seconds of the hand-over. */
const RECEIPT_COMES_MS = 15 * MINUTE_MS

/**
 * The checks of an order: what they found at the hand-over and last, and the button to check again. The same for the customer and, without the words to
 * them, for staff. `action` null: whoever looks may not ask for checks.
 */
export async function OrderChecksCard({
  orderId,
  deliveredAt,
  checks,
  action,
  className,
}: {
  orderId: string
  deliveredAt: Date | null
  checks: OrderChecks
  action: FormAction | null
  className?: string
}) {
  const [say, now] = await Promise.all([getTranslations('checks'), getNow()])
  if (checks.proxies === 0) return null
  const isFresh = deliveredAt !== null && now.getTime() - deliveredAt.getTime() < RECEIPT_COMES_MS
  const isWaiting = checks.run !== null || (isFresh && checks.live > 0 && checks.tested < checks.proxies)
  return (
    <Card title={say('title')} lead={say('how')} className={className}>
      <div className="flex flex-col gap-4">
        <div role="status" className="flex flex-col gap-2 text-sm">
          <p>{await sayReceipt(checks, isFresh)}</p>
          {checks.run && <p>{say('running', { done: checks.run.done, total: checks.run.total })}</p>}
          {checks.live > 0 && checks.failing === 0 && checks.rows.some((row) => row.isLive && row.last) && (
            <p>{say('allWork')}</p>
          )}
          {checks.failing > 0 && <Alert tone="warning">{say('failing', { failing: checks.failing })}</Alert>}
        </div>
        <ChecksTable rows={checks.rows} />
        {checks.rows.length < checks.proxies && (
          <p className="text-sm text-muted">{say('more', { shown: checks.rows.length, count: checks.proxies })}</p>
        )}
        {action && checks.live > 0 && (
          <ActionForm action={action} className="flex flex-wrap items-end gap-3">
            <input type="hidden" name="orderId" value={orderId} />
            <div className="min-w-0 grow sm:max-w-80">
              <SelectField name="allocationId" label={say('which')}>
                <option value="">{say('all')}</option>
                {checks.rows
                  .filter((row) => row.isLive)
                  .map((row) => (
                    <option key={row.allocationId} value={row.allocationId}>
                      {nameProxy(row)}
                    </option>
                  ))}
              </SelectField>
            </div>
            <SubmitButton variant="secondary">{say('check')}</SubmitButton>
          </ActionForm>
        )}
        {isWaiting && <RefreshWhile />}
      </div>
    </Card>
  )
}

async function sayReceipt(checks: OrderChecks, isFresh: boolean): Promise<string> {
  const say = await getTranslations('checks')
  const { proxies: count, tested, passed } = checks
  if (tested === 0) return say(isFresh ? 'untested' : 'neverTested')
  if (tested < count && isFresh) return say('testing', { tested, count })
  return passed === count ? say('tested_all', { count }) : say('tested_part', { passed, count })
}

async function ChecksTable({ rows }: { rows: CheckedProxy[] }) {
  const [say, locale] = await Promise.all([getTranslations('checks'), getLocale()])
  const names = new Intl.DisplayNames([locale], { type: 'region' })
  const nameCountry = (row: CheckedProxy, { countryCode }: CheckView) => {
    if (countryCode === null) return say('countryUnknown')
    const found = names.of(countryCode) ?? countryCode
    if (countryCode === row.countryCode) return found
    return say('countryOther', { found, ordered: names.of(row.countryCode) ?? row.countryCode })
  }
  /** What of the last check is worth showing: of one that failed nothing is known but that. */
  const found = (row: CheckedProxy, show: (check: CheckView) => React.ReactNode) => {
    const check = row.last ?? row.receipt
    return check?.ok ? show(check) : '–'
  }
  return (
    <DataTable
      caption={say('caption')}
      rows={rows}
      rowKey={(row) => row.allocationId}
      empty={null}
      columns={[
        {
          key: 'proxy',
          head: say('proxy'),
          cell: (row) => (
            <>
              <Place>{nameProxy(row)}</Place>
              <span className="block text-xs text-muted">{sayHandover(say, row.receipt)}</span>
            </>
          ),
        },
        { key: 'now', head: say('now'), cell: (row) => <Standing row={row} /> },
        {
          key: 'exit',
          head: say('exit'),
          cell: (row) =>
            found(row, (check) => (
              <>
                <Place>{check.exitAddress ?? '–'}</Place>
                <span className="block text-xs text-muted">{nameCountry(row, check)}</span>
              </>
            )),
        },
        {
          key: 'latency',
          head: say('latency'),
          isNumber: true,
          cell: (row) => found(row, (check) => say('milliseconds', { count: check.latencyMs ?? 0 })),
        },
      ]}
    />
  )
}

async function Standing({ row }: { row: CheckedProxy }) {
  const say = await getTranslations('checks')
  if (!row.isLive) return <Status>{say('ended')}</Status>
  if (!row.last) return <Status>{say('notYet')}</Status>
  const { ok, at } = row.last
  return (
    <div className="flex flex-col items-start gap-1 max-sm:items-end">
      {ok ? <Status tone="good">{say('works')}</Status> : <Status tone="bad">{say('fails')}</Status>}
      <span className="text-xs text-muted">
        {!ok && row.failingSince ? (
          <>
            {sayFailure(say, row.last)} {say.rich('since', { time: () => <RelativeTime at={row.failingSince!} /> })}
          </>
        ) : (
          say.rich('checked', { time: () => <RelativeTime at={at} /> })
        )}
      </span>
    </div>
  )
}

function sayHandover(say: Say, receipt: CheckView | null): string {
  if (receipt === null) return say('notTested')
  return receipt.ok ? say('worked') : say('failed', { reason: sayFailure(say, receipt) })
}

type Say = Awaited<ReturnType<typeof getTranslations<'checks'>>>

function sayFailure(say: Say, check: CheckView): string {
  return say(`failure_${check.failure ?? 'timeout'}`)
}

function nameProxy({ position, host, port }: { position: number; host: string; port: number }): string {
  return `${position}. ${host.includes(':') ? `[${host}]` : host}:${port}`
}

/** When proxies of an order did not work: what a credit for downtime is reckoned from. Shows nothing when they always did. */
export async function DowntimesCard({
  downtimes,
  rows,
  className,
}: {
  downtimes: Downtime[]
  rows: CheckedProxy[]
  className?: string
}) {
  const [say, format] = await Promise.all([getTranslations('checks'), getFormatter()])
  if (downtimes.length === 0) return null
  const byId = new Map(rows.map((row) => [row.allocationId, row]))
  const shown = downtimes.slice(-100).toReversed()
  return (
    <Card title={say('downtimes')} lead={say('downtimesLead')} className={className}>
      <DataTable
        caption={say('downtimes')}
        rows={shown}
        rowKey={(downtime) => `${downtime.allocationId}:${downtime.from.getTime()}`}
        empty={null}
        columns={[
          {
            key: 'proxy',
            head: say('proxy'),
            cell: (downtime) => {
              const row = byId.get(downtime.allocationId)
              return <Place>{row ? nameProxy(row) : downtime.allocationId}</Place>
            },
          },
          { key: 'from', head: say('from'), cell: (downtime) => <ExactTime at={downtime.from} /> },
          {
            key: 'until',
            head: say('until'),
            cell: (downtime) => (downtime.to ? <ExactTime at={downtime.to} /> : say('goesOn')),
          },
          {
            key: 'failed',
            head: say('failedChecks'),
            isNumber: true,
            cell: (downtime) => format.number(downtime.failed),
          },
        ]}
      />
    </Card>
  )
}
