import { randomBytes } from 'node:crypto'
import { amountText, parseAmount } from '@/lib/kit'
import type { FakeReply, FakeRequest, Route } from './kit'

/** Money of a payment that goes back: asked for through the API, or made by the control API as if at the vendor's own desk. */
export type FakeRefund = {
  id: string
  refundId: string | null
  amount: string
  state: 'pending' | 'done' | 'failed'
}
export type FakeDispute = { id: string; amount: string; state: 'open' | 'won' | 'lost' }
export type Returnable = {
  id: string
  paid: string
  refunds?: FakeRefund[]
  disputes?: FakeDispute[]
  /** What the newest event is about, when not about the payment itself. */
  about?: 'refund' | 'dispute'
  eventId: string
}

export type Book<Payment> = {
  find: (id: string | undefined) => Payment | undefined
  keep: (payment: Payment) => Payment
  newEventId: () => string
  /** Sends the callback about the payment's newest event; the shop's answer. */
  send: (id: string) => Promise<number>
  shown: (payment: Payment) => object
}

/** What of a payment has not gone back, as text in units. */
export function leftOfPaid(payment: Returnable): bigint {
  const gone = (payment.refunds ?? []).filter((each) => each.state !== 'failed')
  return parseAmount(payment.paid)! - gone.reduce((sum, each) => sum + parseAmount(each.amount)!, 0n)
}

/** A payment with one refund more; the same `refundId` again changes nothing. Null when more is asked for than is left. */
export function withRefund<Payment extends Returnable>(
  payment: Payment,
  refund: { refundId: string | null; amountMicros: bigint; eventId: string; idPrefix: string },
): { payment: Payment; refund: FakeRefund } | null {
  const earlier = payment.refunds?.find((each) => refund.refundId !== null && each.refundId === refund.refundId)
  if (earlier) return { payment, refund: earlier }
  if (refund.amountMicros <= 0n || refund.amountMicros > leftOfPaid(payment)) return null
  const added: FakeRefund = {
    id: `${refund.idPrefix}${randomBytes(8).toString('hex')}`,
    refundId: refund.refundId,
    amount: amountText(refund.amountMicros),
    state: 'done',
  }
  const next = {
    ...payment,
    refunds: [...(payment.refunds ?? []), added],
    about: 'refund' as const,
    eventId: refund.eventId,
  }
  return { payment: next, refund: added }
}

/**
 * Control of what goes back, the same for every stand-in that knows of it:
 *
 *   POST /control/invoices/<id>/refund       {"amount":"5.00"}   given back at the vendor's desk; all of it without an amount
 *   POST /control/invoices/<id>/fail-refund  {}                  the newest refund turns out not to be possible
 *   POST /control/invoices/<id>/dispute      {"state":"open"}    the payer's bank takes it back; `won` or `lost` ends it
 *
 * Each sends one callback unless `"webhooks":0`.
 */
export function returnsControl<Payment extends Returnable>(book: Book<Payment>, idPrefix: string): Route[] {
  const answer = async (payment: Payment, webhooks: unknown): Promise<FakeReply> => {
    book.keep(payment)
    const answers = webhooks === 0 ? [] : [await book.send(payment.id)]
    return { body: { ...book.shown(payment), answers } }
  }
  const route = (name: string, handle: (payment: Payment, wish: Record<string, unknown>) => Payment | null): Route => ({
    method: 'POST',
    path: new RegExp(`^/control/invoices/(?<id>[\\w-]+)/${name}$`),
    handle: ({ params, body }: FakeRequest) => {
      const payment = book.find(params.id)
      if (!payment) return { status: 404, body: { error: 'not found' } }
      const wish = JSON.parse(body || '{}') as Record<string, unknown>
      const next = handle(payment, wish)
      return next ? answer(next, wish.webhooks) : { status: 422, body: { error: name } }
    },
  })
  return [
    route('refund', (payment, wish) => {
      const amountMicros = wish.amount === undefined ? leftOfPaid(payment) : parseAmount(String(wish.amount))
      if (amountMicros === null) return null
      const eventId = book.newEventId()
      return withRefund(payment, { refundId: null, amountMicros, eventId, idPrefix })?.payment ?? null
    }),
    route('fail-refund', (payment) => {
      const newest = payment.refunds?.findLast((each) => each.state !== 'failed')
      if (!newest) return null
      const refunds = payment.refunds!.map((each) => (each === newest ? { ...each, state: 'failed' as const } : each))
      return { ...payment, refunds, about: 'refund', eventId: book.newEventId() }
    }),
    route('dispute', (payment, wish) => {
      const state = wish.state ?? 'open'
      if (state !== 'open' && state !== 'won' && state !== 'lost') return null
      const amountMicros = wish.amount === undefined ? parseAmount(payment.paid) : parseAmount(String(wish.amount))
      if (amountMicros === null) return null
      const newest = payment.disputes?.at(-1)
      const isNew = !newest || (state === 'open' && newest.state !== 'open')
      const dispute: FakeDispute = isNew
        ? { id: `dp_${randomBytes(8).toString('hex')}`, amount: amountText(amountMicros), state }
        : { ...newest, state }
      const earlier = (payment.disputes ?? []).filter((each) => each.id !== dispute.id)
      return { ...payment, disputes: [...earlier, dispute], about: 'dispute', eventId: book.newEventId() }
    }),
  ]
}
