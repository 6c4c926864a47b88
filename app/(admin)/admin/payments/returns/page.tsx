import type { Metadata } from 'next'
import { getTranslations } from 'next-intl/server'
import Link from 'next/link'
import { CustomerLink, IdLink } from '@/components/admin/links'
import { ActionForm } from '@/components/ui/action-form'
import { Card } from '@/components/ui/card'
import { TextField } from '@/components/ui/field'
import { Money } from '@/components/ui/money'
import { PageHeader } from '@/components/ui/page-header'
import { Status } from '@/components/ui/status'
import { SubmitButton } from '@/components/ui/submit-button'
import { RelativeTime } from '@/components/ui/time'
import { ORDER_TONES } from '@/components/orders/order-words'
import { isAllowed, listUsernames } from '@/lib/identity'
import { listOrdersInDispute } from '@/lib/orders'
import { listOpenRefunds } from '@/lib/payments'
import { requireAdmin } from '@/lib/web'
import { decideDisputedOrderAction, finishRefundAction } from './actions'

export async function generateMetadata(): Promise<Metadata> {
  return { title: (await getTranslations('admin'))('returnsTitle') }
}

/** What a person has to do about money that goes back: send it where no provider can, and decide about orders bought with what a bank took. */
export default async function AdminReturnsPage() {
  const staff = await requireAdmin('payments.read')
  const [say, states, orderStates, refunds, orders] = await Promise.all([
    getTranslations('admin'),
    getTranslations('payments'),
    getTranslations('orders'),
    listOpenRefunds(),
    listOrdersInDispute(),
  ])
  const names = await listUsernames([...refunds.map((each) => each.userId), ...orders.map((each) => each.order.userId)])
  const waiting = refunds.filter((refund) => refund.state === 'manual').length + orders.length
  const reason = (
    <TextField name="reason" label={say('decideReason')} help={say('decideReasonHelp')} maxLength={500} required />
  )
  return (
    <>
      <PageHeader
        back={
          <Link href="/admin/payments" className="text-accent underline">
            {say('allPayments')}
          </Link>
        }
        title={say('returnsTitle')}
        lead={say('returnsLead', { count: waiting })}
      />
      <div className="flex flex-col gap-6">
        <Card title={say('byHandTitle')} lead={say('byHandLead')}>
          {refunds.length === 0 && <p className="text-muted">{say('byHandEmpty')}</p>}
          <ul className="flex flex-col divide-y">
            {refunds.map((refund) => (
              <li key={refund.id} className="flex flex-col gap-3 py-4 first:pt-0 last:pb-0">
                <p className="flex flex-wrap items-center gap-x-3 gap-y-1">
                  <Money micros={refund.amountMicros} currency={refund.currency} className="font-semibold" />
                  <Status tone={refund.state === 'manual' ? 'warning' : 'info'}>
                    {states(`refund_${refund.state}`)}
                  </Status>
                  <IdLink href={`/admin/payments/${refund.paymentId}`} id={refund.paymentId} />
                  <CustomerLink userId={refund.userId} names={names} />
                  <span className="text-muted">
                    <RelativeTime at={refund.createdAt} />
                  </span>
                </p>
                {refund.state === 'sending' && <p className="text-sm text-muted">{say('refundProvider')}</p>}
                {isAllowed(staff.role, 'payments.refund') && (
                  <ActionForm action={finishRefundAction} className="flex max-w-xl flex-col gap-3">
                    <input type="hidden" name="refundId" value={refund.id} />
                    {reason}
                    <div className="flex flex-wrap gap-2">
                      <SubmitButton name="end" value="done">
                        {say('refundDone')}
                      </SubmitButton>
                      <SubmitButton name="end" value="failed" variant="danger">
                        {say('refundFailed')}
                      </SubmitButton>
                    </div>
                  </ActionForm>
                )}
              </li>
            ))}
          </ul>
        </Card>
        <Card title={say('inDisputeTitle')} lead={say('inDisputeLead')}>
          {orders.length === 0 && <p className="text-muted">{say('inDisputeEmpty')}</p>}
          <ul className="flex flex-col divide-y">
            {orders.map(({ disputeId, order }) => (
              <li key={`${disputeId} ${order.id}`} className="flex flex-col gap-3 py-4 first:pt-0 last:pb-0">
                <p className="flex flex-wrap items-center gap-x-3 gap-y-1">
                  <IdLink href={`/admin/orders/${order.id}`} id={order.id} />
                  <Status tone={ORDER_TONES[order.state as keyof typeof ORDER_TONES]}>
                    {orderStates(`state_${order.state as keyof typeof ORDER_TONES}`)}
                  </Status>
                  <Money micros={order.totalMicros} currency={order.currency} />
                  <CustomerLink userId={order.userId} names={names} />
                  <span className="text-muted">
                    <RelativeTime at={order.placedAt} />
                  </span>
                </p>
                {isAllowed(staff.role, 'payments.review') && (
                  <ActionForm action={decideDisputedOrderAction} className="flex max-w-xl flex-col gap-3">
                    <input type="hidden" name="disputeId" value={disputeId} />
                    <input type="hidden" name="orderId" value={order.id} />
                    {reason}
                    <div className="flex flex-wrap gap-2">
                      <SubmitButton name="decision" value="keep" variant="secondary">
                        {say('keepOrder')}
                      </SubmitButton>
                      <SubmitButton name="decision" value="withdraw" variant="danger">
                        {say('withdrawOrder')}
                      </SubmitButton>
                    </div>
                  </ActionForm>
                )}
              </li>
            ))}
          </ul>
        </Card>
      </div>
    </>
  )
}
