import { getLocale, getTranslations } from 'next-intl/server'
import { PolicySentences } from '@/components/catalogue/policy-sentences'
import { ActionForm } from '@/components/ui/action-form'
import { ButtonLink } from '@/components/ui/button'
import { Card } from '@/components/ui/card'
import { SelectField } from '@/components/ui/field'
import { Money } from '@/components/ui/money'
import { Status } from '@/components/ui/status'
import { SubmitButton } from '@/components/ui/submit-button'
import { DataTable, Place } from '@/components/ui/table'
import { ExactTime } from '@/components/ui/time'
import type { Policy } from '@/lib/catalog'
import { formatMoney } from '@/lib/kit'
import { LIVE_ORDER_STATES, type OrderDetails, quoteRenewal, renewalRules } from '@/lib/orders'
import type { listCredits, listReplacements } from '@/lib/remedies'
import type { FormAction } from '@/lib/web'

/** Take an order back that nobody works on yet. */
export async function CancelCard({ orderId, action }: { orderId: string; action: FormAction }) {
  const say = await getTranslations('proxies')
  return (
    <Card title={say('cancelTitle')} lead={say('cancelLead')}>
      <ActionForm action={action}>
        <input type="hidden" name="orderId" value={orderId} />
        <SubmitButton variant="danger">{say('cancel')}</SubmitButton>
      </ActionForm>
    </Card>
  )
}

/** Renew now, and the switch that lets the order renew itself, with what that may cost. Nothing for what cannot be renewed. */
export async function RenewalCard({
  order,
  select,
  switchRenewal,
}: {
  order: OrderDetails
  select: FormAction
  switchRenewal: FormAction
}) {
  if (!LIVE_ORDER_STATES.includes(order.state)) return null
  const actor = { id: order.userId }
  const [say, common, locale, rules, own] = await Promise.all([
    getTranslations('proxies'),
    getTranslations('common'),
    getLocale(),
    renewalRules.read(),
    quoteRenewal(actor, { orderId: order.id }),
  ])
  // Its own period may no longer be sold; then any other one says what there is.
  const other = own.ok ? undefined : (own.refusal.facts as { periods?: number[] }).periods?.[0]
  const quote = other === undefined ? own : await quoteRenewal(actor, { orderId: order.id, periodDays: other })
  const isWaiting = !quote.ok && quote.refusal.code === 'proxy_being_replaced'
  if (!quote.ok && !isWaiting && quote.refusal.code !== 'period_unavailable') return null
  const { currency } = order
  const count = quote.ok ? quote.value.allocationIds.length : 0
  const most = (order.renewUnitMicros ?? 0n) * BigInt(count)
  return (
    <Card
      title={say('renewal')}
      lead={say(quote.ok ? 'renewalLead' : isWaiting ? 'renewalWaits' : 'renewalGone')}
      id="renewal"
    >
      <div className="flex flex-col gap-5 text-sm">
        {quote.ok && (
          <SelectOrder orderId={order.id} action={select} buttons={[['renew', say('renewNow')]]} isPrimary />
        )}
        <div className="flex flex-col gap-2 border-t pt-4">
          <p className="font-semibold">
            {say('byItself')}{' '}
            {order.autoRenew ? <Status tone="good">{say('on')}</Status> : <Status>{say('off')}</Status>}
          </p>
          {order.autoRenew ? (
            <p>
              {say.rich('byItselfOn', {
                days: order.renewPeriodDays ?? order.periodDays,
                at: () => (order.dueAt ? <ExactTime at={order.dueAt} /> : '–'),
                lead: rules.leadHours,
                most: () => <Money micros={most} currency={currency} />,
              })}
            </p>
          ) : (
            <p>{say('byItselfOff')}</p>
          )}
          <p className="text-muted">{say('byItselfShort', { grace: rules.graceHours })}</p>
        </div>
        {order.autoRenew && (
          <ActionForm action={switchRenewal}>
            <input type="hidden" name="orderId" value={order.id} />
            <input type="hidden" name="terms" value="" />
            <SubmitButton variant="secondary">{say('switchOff')}</SubmitButton>
          </ActionForm>
        )}
        {quote.ok && (
          <ActionForm action={switchRenewal} className="flex flex-wrap items-end gap-3">
            <input type="hidden" name="orderId" value={order.id} />
            <div className="min-w-0 grow">
              <SelectField
                name="terms"
                label={say('terms')}
                defaultValue={
                  quote.value.periods
                    .map((period) => ({ ...period, text: `${period.days}:${period.totalMicros}` }))
                    .find((period) => period.days === (order.renewPeriodDays ?? order.periodDays))?.text
                }
              >
                {quote.value.periods.map(({ days, totalMicros }) => (
                  <option key={days} value={`${days}:${totalMicros}`}>
                    {say('term', {
                      period: common('days', { count: days }),
                      total: formatMoney(totalMicros, currency, locale),
                    })}
                  </option>
                ))}
              </SelectField>
            </div>
            <SubmitButton variant="secondary">{say(order.autoRenew ? 'changeTerms' : 'switchOn')}</SubmitButton>
          </ActionForm>
        )}
      </div>
    </Card>
  )
}

/** The rules of the order's day, the way to use them, and what came of them so far. */
export async function RemedyCard({
  order,
  policy,
  replacements,
  credits,
  select,
}: {
  order: OrderDetails
  policy: Policy
  replacements: Awaited<ReturnType<typeof listReplacements>>
  credits: Awaited<ReturnType<typeof listCredits>>
  select: FormAction
}) {
  const say = await getTranslations('proxies')
  const isLive = LIVE_ORDER_STATES.includes(order.state)
  return (
    <Card title={say('remedies')} lead={say('remediesLead')}>
      <div className="flex flex-col gap-5">
        <PolicySentences policy={policy} />
        {isLive && (
          <div className="flex flex-wrap items-center gap-2">
            <SelectOrder
              orderId={order.id}
              action={select}
              buttons={[
                ['replace', say('previewReplace')],
                ['give-back', say('previewGiveBack')],
              ]}
            />
            <ButtonLink href={`/account/proxies?order=${order.id}`} variant="quiet">
              {say('chooseSome')}
            </ButtonLink>
          </div>
        )}
        {replacements.length > 0 && (
          <DataTable
            caption={say('replacements')}
            rows={replacements}
            rowKey={(row) => row.id}
            empty={null}
            columns={[
              { key: 'old', head: say('oldProxy'), cell: (row) => <Place>{row.oldPlace}</Place> },
              {
                key: 'new',
                head: say('newProxy'),
                cell: (row) =>
                  row.newPlace ? (
                    <Place>{row.newPlace}</Place>
                  ) : row.until ? (
                    say.rich('exchangeOpen', { until: () => <ExactTime key="until" at={row.until!} /> })
                  ) : (
                    say(row.state === 'credited' ? 'paidBack' : 'notExchanged')
                  ),
              },
              { key: 'why', head: say('reason'), cell: (row) => say(`reason_${row.reason as 'dead'}`) },
              { key: 'at', head: say('when'), cell: (row) => <ExactTime at={row.at} /> },
            ]}
          />
        )}
        {credits.length > 0 && (
          <DataTable
            caption={say('credits')}
            rows={credits}
            rowKey={(row) => row.id}
            empty={null}
            columns={[
              { key: 'at', head: say('when'), cell: (row) => <ExactTime at={row.createdAt} /> },
              { key: 'why', head: say('why'), cell: (row) => <Evidence credit={row} /> },
              {
                key: 'amount',
                head: say('money'),
                isNumber: true,
                cell: (row) => <Money micros={row.amountMicros} currency={row.currency} isSigned />,
              },
            ]}
          />
        )}
      </div>
    </Card>
  )
}

/** Why money came back, and what that rests on. */
async function Evidence({ credit }: { credit: Awaited<ReturnType<typeof listCredits>>[number] }) {
  const say = await getTranslations('proxies')
  const evidence = (credit.evidence ?? {}) as Record<string, unknown>
  const time = (text: unknown) => () => (typeof text === 'string' ? <ExactTime at={new Date(text)} /> : '–')
  return (
    <>
      {say('creditCause', { cause: credit.cause, count: credit.allocationIds.length })}
      {credit.cause === 'downtime' && (
        <span className="block text-xs text-muted">
          {say.rich('creditDowntime', {
            from: time(evidence.from),
            to: time(evidence.to),
            checks: Number(evidence.failedChecks ?? 0),
            hours: Number(evidence.promisedHours ?? 0),
          })}
        </span>
      )}
    </>
  )
}

/** Chooses all that is held of an order, and goes on to the preview. */
function SelectOrder({
  orderId,
  action,
  buttons,
  isPrimary = false,
}: {
  orderId: string
  action: FormAction
  buttons: [string, string][]
  isPrimary?: boolean
}) {
  return (
    <ActionForm action={action} className="flex flex-wrap gap-2">
      <input type="hidden" name="all" value="on" />
      <input type="hidden" name="query" value={`order=${orderId}`} />
      {buttons.map(([name, text]) => (
        <SubmitButton key={name} name="do" value={name} variant={isPrimary ? 'primary' : 'secondary'}>
          {text}
        </SubmitButton>
      ))}
    </ActionForm>
  )
}
