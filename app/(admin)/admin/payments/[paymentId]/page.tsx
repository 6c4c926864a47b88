import type { Metadata } from 'next'
import { getLocale, getTranslations } from 'next-intl/server'
import Link from 'next/link'
import { notFound } from 'next/navigation'
import type { ReactNode } from 'react'
import { CustomerLink } from '@/components/admin/links'
import { ReturnsTable } from '@/components/admin/returns-table'
import { PaymentTimeline } from '@/components/payments/payment-timeline'
import { nameProvider, PAYMENT_TONES, sayReviewReason } from '@/components/payments/payment-words'
import { PaperLink } from '@/components/papers/paper-link'
import { ActionForm } from '@/components/ui/action-form'
import { Card } from '@/components/ui/card'
import { TextField } from '@/components/ui/field'
import { Money } from '@/components/ui/money'
import { PageHeader } from '@/components/ui/page-header'
import { RequestKey } from '@/components/ui/request-key'
import { shortId } from '@/components/ui/short-id'
import { Status } from '@/components/ui/status'
import { SubmitButton } from '@/components/ui/submit-button'
import { Code, DataTable, Facts } from '@/components/ui/table'
import { ExactTime } from '@/components/ui/time'
import { isAllowed, listUsernames } from '@/lib/identity'
import { amountText, formatMoney, newId } from '@/lib/kit'
import {
  CREDITED_STATES,
  canRefundBySource,
  getPaymentForAdmin,
  getRefundable,
  type SettleOutcome,
} from '@/lib/payments'
import { requireAdmin } from '@/lib/web'
import { decideReviewAction, refundPaymentAction } from './actions'

export async function generateMetadata(): Promise<Metadata> {
  return { title: (await getTranslations('admin'))('payment') }
}

export default async function AdminPaymentPage({ params }: { params: Promise<{ paymentId: string }> }) {
  const staff = await requireAdmin('payments.read')
  const payment = await getPaymentForAdmin((await params).paymentId)
  if (!payment) notFound()
  const [say, states, locale, names, provider, reason] = await Promise.all([
    getTranslations('admin'),
    getTranslations('payments'),
    getLocale(),
    listUsernames([payment.userId]),
    nameProvider(payment.provider),
    sayReviewReason(payment.reviewReason),
  ])
  const { currency, chargeCurrency } = payment
  const amount = (micros: bigint | null) => (micros === null ? '–' : <Money micros={micros} currency={currency} />)
  const requested = formatMoney(payment.chargeMicros, chargeCurrency, locale)
  const received = payment.receivedMicros === null ? null : formatMoney(payment.receivedMicros, chargeCurrency, locale)
  const canDecide = payment.state === 'needs_review' && isAllowed(staff.role, 'payments.review')
  const canRefund =
    CREDITED_STATES.includes(payment.state) && payment.leftMicros > 0n && isAllowed(staff.role, 'payments.refund')
  const [refundable, bySource] = canRefund
    ? await Promise.all([getRefundable(payment), canRefundBySource(payment.provider)])
    : [0n, false]
  return (
    <>
      <PageHeader
        back={
          <Link href="/admin/payments" className="text-accent underline">
            {say('allPayments')}
          </Link>
        }
        title={say('paymentHeading', { id: shortId(payment.id) })}
        lead={<Status tone={PAYMENT_TONES[payment.status]}>{states(`state_${payment.status}`)}</Status>}
      />
      <div className="grid gap-6 lg:grid-cols-2">
        {canDecide && (
          <Card
            title={say('decideTitle')}
            lead={
              received === null
                ? say('decideNothing', { reason, requested })
                : say('decideLead', { reason, requested, received })
            }
            className="lg:col-span-2"
          >
            <ActionForm action={decideReviewAction} className="flex max-w-xl flex-col gap-4">
              <input type="hidden" name="paymentId" value={payment.id} />
              <TextField
                name="reason"
                label={say('decideReason')}
                help={say('decideReasonHelp')}
                maxLength={500}
                required
              />
              <div className="flex flex-wrap gap-2">
                {received !== null && (
                  <SubmitButton name="decision" value="credit_received">
                    {say('decideCredit')}: {received}
                  </SubmitButton>
                )}
                <SubmitButton name="decision" value="decline" variant="danger">
                  {say('decideDecline')}
                </SubmitButton>
              </div>
            </ActionForm>
          </Card>
        )}
        <Card
          title={say('facts')}
          action={
            payment.creditedAt !== null && <PaperLink href={`/admin/payments/${payment.id}/receipt`} kind="receipt" />
          }
        >
          <Facts
            facts={[
              [say('customer'), <CustomerLink key="customer" userId={payment.userId} names={names} />],
              [say('provider'), provider.name],
              [
                say('providerId'),
                payment.providerPaymentId ? <Code key="provider">{payment.providerPaymentId}</Code> : '–',
              ],
              [say('requested'), amount(payment.requestedMicros)],
              ...(chargeCurrency === currency
                ? []
                : [
                    [
                      states('charged'),
                      <Money key="charge" micros={payment.chargeMicros} currency={chargeCurrency} />,
                    ] satisfies [string, ReactNode],
                  ]),
              [
                say('received'),
                payment.receivedMicros === null ? (
                  '–'
                ) : (
                  <Money key="received" micros={payment.receivedMicros} currency={chargeCurrency} />
                ),
              ],
              [say('credited'), amount(payment.creditedMicros)],
              [say('begun'), <ExactTime key="begun" at={payment.createdAt} />],
              [say('checks'), String(payment.checks)],
              [
                say('nextCheck'),
                payment.nextCheckAt ? <ExactTime key="next" at={payment.nextCheckAt} /> : say('never'),
              ],
              [say('id'), <Code key="id">{payment.id}</Code>],
            ]}
          />
        </Card>
        <Card title={say('timeline')}>
          <PaymentTimeline
            events={payment.events}
            currency={currency}
            chargeCurrency={chargeCurrency}
            isRunning={payment.nextCheckAt !== null}
          />
        </Card>
        {canRefund && (
          <Card
            title={say('refundTitle')}
            lead={`${say('refundLead', { max: formatMoney(refundable, currency, locale) })} ${say(
              bySource ? 'refundBySource' : 'refundByHand',
              { provider: provider.name },
            )}`}
          >
            <ActionForm action={refundPaymentAction} className="flex flex-col gap-4">
              <input type="hidden" name="paymentId" value={payment.id} />
              <RequestKey value={newId('req')} />
              <TextField
                name="amountMicros"
                label={say('refundAmount', { currency })}
                defaultValue={amountText(refundable)}
                inputMode="decimal"
                className="max-w-40"
                required
              />
              <TextField
                name="reason"
                label={say('decideReason')}
                help={say('decideReasonHelp')}
                maxLength={500}
                required
              />
              <div>
                <SubmitButton variant="danger">{say('refundButton')}</SubmitButton>
              </div>
            </ActionForm>
          </Card>
        )}
        {(payment.refunds.length > 0 || payment.disputes.length > 0) && (
          <Card
            title={say('returnsTitle')}
            action={
              <Link href="/admin/payments/returns" className="text-accent underline">
                {say('toReturns')}
              </Link>
            }
            className="lg:col-span-2"
          >
            <ReturnsTable payment={payment} />
          </Card>
        )}
        <Card title={say('callbacks')} lead={say('callbacksLead')} className="lg:col-span-2">
          <DataTable
            caption={say('callbacks')}
            rows={payment.messages}
            rowKey={(message) => message.id}
            empty={<p className="text-muted">{say('callbacksEmpty')}</p>}
            columns={[
              { key: 'at', head: say('callbackAt'), cell: (message) => <ExactTime at={message.receivedAt} /> },
              {
                key: 'repeats',
                head: say('callbackRepeats'),
                isNumber: true,
                cell: (message) => String(message.repeats),
              },
              {
                key: 'done',
                head: say('callbackDone'),
                cell: (message) => (message.processedAt ? <ExactTime at={message.processedAt} /> : say('notYet')),
              },
              {
                key: 'outcome',
                head: say('callbackOutcome'),
                cell: (message) => (message.outcome ? say(`outcome_${message.outcome as SettleOutcome}`) : '–'),
              },
            ]}
          />
        </Card>
      </div>
    </>
  )
}
