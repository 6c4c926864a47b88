import { translator } from '@/i18n/translator'
import { findPlan } from '@/lib/catalog'
import { type Database, db, Prisma } from '@/lib/db'
import { env } from '@/lib/env'
import { findCustomer } from '@/lib/identity'
import { accepted, invariant, newId, type Refusal, refused, type Result } from '@/lib/kit'
import { findOrder, findRenewal, type OrderDetails } from '@/lib/orders'
import { getPaymentForAdmin } from '@/lib/payments'
import { nameCodes } from '@/lib/promotions'
import { getBillingProfile } from './billing-profile'
import { nameCountry } from './countries'
import { paperSeller, paperTax } from './paper-settings'
import {
  type Invoice,
  type InvoiceSnapshot,
  invoiceSnapshotSchema,
  type PaperKind,
  paperNumber,
  type Receipt,
  type ReceiptSnapshot,
  receiptSnapshotSchema,
} from './snapshot'
import { splitTax } from './split-tax'

/**
 * The receipt of a payment: issued now when there is none, else the one that was issued, whatever has changed since. With `userId`, somebody
 * else's payment is `not_found`. Refuses `not_credited` while no money has come to the balance.
 */
export async function issueReceipt(
  input: { paymentId: string; userId?: string },
  database: Database = db(),
): Promise<Result<Receipt, Refusal<'not_found' | 'not_credited'>>> {
  const payment = await getPaymentForAdmin(input.paymentId)
  if (!payment || (input.userId !== undefined && payment.userId !== input.userId)) return refused('not_found')
  const { creditedMicros, creditedAt, receivedMicros, chargeCurrency, currency } = payment
  if (creditedMicros === null || creditedAt === null) return refused('not_credited')
  const issued = await findPaper('receipt', payment.id, database)
  if (issued) return accepted(receiptOf(issued))
  const { locale, countryCode: _, ...parties } = await readParties(payment.userId, 'receipt')
  const say = translator(locale, 'payments')
  const provider = `provider_${payment.provider}` as 'provider_fakepay'
  const isPaidOtherwise = receivedMicros !== null && (receivedMicros !== creditedMicros || chargeCurrency !== currency)
  const snapshot: ReceiptSnapshot = {
    ...parties,
    currency,
    factAt: creditedAt.toISOString(),
    totalMicros: String(creditedMicros),
    provider: say.has(provider) ? say(provider) : payment.provider,
    transactionId: payment.providerPaymentId ?? '',
    paid: isPaidOtherwise ? { amountMicros: String(receivedMicros), currency: chargeCurrency } : null,
  }
  const row = await writePaper(database, {
    kind: 'receipt',
    userId: payment.userId,
    subjectId: payment.id,
    locale,
    snapshot,
  })
  return accepted(receiptOf(row))
}

/**
 * The invoice of an order over what was captured, not what was held: issued now when there is none, else the one that was issued. With `userId`,
 * somebody else's order is `not_found`. Refuses `not_delivered` while nothing has been handed over.
 */
export async function issueInvoice(
  input: { orderId: string; userId?: string },
  database: Database = db(),
): Promise<Result<Invoice, Refusal<'not_found' | 'not_delivered'>>> {
  const order = await findOrder(input)
  if (!order) return refused('not_found')
  const { deliveredAt } = order
  if (deliveredAt === null) return refused('not_delivered')
  const { delivered, capturedMicros } = deliveredOf(order)
  return accepted(
    await writeInvoice(
      { ...order, subjectId: order.id, factAt: deliveredAt, quantity: delivered, capturedMicros, isRenewal: false },
      database,
    ),
  )
}

/**
 * The invoice of a renewal over what was captured for it, as issueInvoice. Refuses `not_delivered` while it is under way, or when nothing was renewed.
 */
export async function issueRenewalInvoice(
  input: { renewalId: string; userId?: string },
  database: Database = db(),
): Promise<Result<Invoice, Refusal<'not_found' | 'not_delivered'>>> {
  const renewal = await findRenewal(input)
  if (!renewal) return refused('not_found')
  const { endedAt, order, capturedMicros, ...sale } = renewal
  if (renewal.state !== 'done' || endedAt === null) return refused('not_delivered')
  // Of one that was renewed in part, as many pieces as were paid for: what was captured is their share, rounded down.
  const quantity = Number((capturedMicros * BigInt(sale.quantity) + sale.totalMicros - 1n) / sale.totalMicros)
  return accepted(
    await writeInvoice(
      { ...order, ...sale, subjectId: renewal.id, factAt: endedAt, quantity, capturedMicros, isRenewal: true },
      database,
    ),
  )
}

/** What an invoice is written over: an order as it was handed over, or a renewal as it was made. */
type Sale = {
  subjectId: string
  userId: string
  currency: string
  factAt: Date
  planId: string
  productKind: string
  countryCode: string
  periodDays: number
  unitPriceMicros: bigint
  quantity: number
  capturedMicros: bigint
  isRenewal: boolean
  /** Of the order: its code, what that took off, and what was to be paid then. Renewals have none. */
  promotionId?: string | null
  promotionMicros?: bigint
  totalMicros: bigint
}

async function writeInvoice(sale: Sale, database: Database): Promise<Invoice> {
  const issued = await findPaper('invoice', sale.subjectId, database)
  if (issued) return invoiceOf(issued)
  const { locale, countryCode, ...parties } = await readParties(sale.userId, 'invoice')
  const grossMicros = sale.unitPriceMicros * BigInt(sale.quantity)
  const rate = (await paperTax.readFresh()).rates.find(({ country }) => country === countryCode)
  const split = rate && splitTax(sale.capturedMicros, rate.rateBasisPoints)
  const found = await findPlan(sale.planId, { fresh: true })
  const isRussian = locale === 'ru'
  const promotion = await promotionOf(sale)
  const snapshot: InvoiceSnapshot = {
    ...parties,
    currency: sale.currency,
    factAt: sale.factAt.toISOString(),
    totalMicros: String(sale.capturedMicros),
    isRenewal: sale.isRenewal,
    lines: [
      {
        product: found ? (isRussian ? found.product.nameRu : found.product.nameEn) : sale.productKind,
        plan: found ? (isRussian ? found.plan.nameRu : found.plan.nameEn) : sale.planId,
        country: nameCountry(sale.countryCode, locale),
        periodDays: sale.periodDays,
        quantity: sale.quantity,
        unitPriceMicros: String(sale.unitPriceMicros),
        amountMicros: String(grossMicros),
      },
    ],
    // What a part cost is rounded down to the customer's good, so the difference is never negative.
    discountMicros: String(grossMicros - sale.capturedMicros - (promotion?.amountMicros ?? 0n)),
    promotion: promotion && { code: promotion.code, amountMicros: String(promotion.amountMicros) },
    tax:
      rate && split
        ? {
            label: rate.label,
            rateBasisPoints: rate.rateBasisPoints,
            netMicros: String(split.netMicros),
            taxMicros: String(split.taxMicros),
          }
        : null,
  }
  const row = await writePaper(database, {
    kind: 'invoice',
    userId: sale.userId,
    subjectId: sale.subjectId,
    locale,
    snapshot,
  })
  return invoiceOf(row)
}

/** The code of a sale with its share of what was delivered, rounded down as what was taken is. */
async function promotionOf(sale: Sale): Promise<{ code: string; amountMicros: bigint } | null> {
  const { promotionId, promotionMicros = 0n, capturedMicros, totalMicros } = sale
  if (!promotionId) return null
  const amountMicros = (promotionMicros * capturedMicros) / totalMicros
  return { code: (await nameCodes([promotionId])).get(promotionId) ?? '', amountMicros }
}

/** How many pieces were handed over, and what was taken for them, from the order's own timeline. */
function deliveredOf(order: OrderDetails): { delivered: number; capturedMicros: bigint } {
  const data = order.events.find(({ kind }) => kind === 'delivered')?.data
  const { delivered, capturedMicros } = data ?? {}
  invariant(typeof delivered === 'number', `the delivery of ${order.id} says how many pieces`)
  invariant(typeof capturedMicros === 'string', `the delivery of ${order.id} says what was taken`)
  return { delivered, capturedMicros: BigInt(capturedMicros) }
}

/** Seller and buyer as they are at this moment. Settings are read past the process's copy: what is printed stays for ever. */
async function readParties(userId: string, kind: PaperKind) {
  const [{ receiptPrefix, invoicePrefix, ...seller }, profile, customer] = await Promise.all([
    paperSeller.readFresh(),
    getBillingProfile(userId),
    findCustomer(userId),
  ])
  invariant(customer, `whoever paid or ordered has an account: ${userId}`)
  const { locale, username } = customer
  const { countryCode, ...entered } = profile
  return {
    locale,
    countryCode,
    prefix: kind === 'receipt' ? receiptPrefix : invoicePrefix,
    seller: { ...seller, name: seller.name || env().SHOP_NAME },
    buyer: { ...entered, username, country: countryCode && nameCountry(countryCode, locale) },
  }
}

const ROW = {
  id: true,
  kind: true,
  year: true,
  number: true,
  userId: true,
  subjectId: true,
  locale: true,
  snapshot: true,
  issuedAt: true,
} as const

function findPaper(kind: PaperKind, subjectId: string, database: Database) {
  return database.paper.findUnique({ where: { kind_subjectId: { kind, subjectId } }, select: ROW })
}
type PaperRow = NonNullable<Awaited<ReturnType<typeof findPaper>>>

/** Writes the paper, or finds the one that somebody else wrote in the meantime. */
async function writePaper(
  database: Database,
  paper: {
    kind: PaperKind
    userId: string
    subjectId: string
    locale: string
    snapshot: ReceiptSnapshot | InvoiceSnapshot
  },
): Promise<PaperRow> {
  await database.$queryRaw(Prisma.sql`
    SELECT outcome FROM issue_paper(${newId('ppr')}, ${paper.kind}, ${paper.userId}, ${paper.subjectId}, ${paper.locale},
      ${JSON.stringify(paper.snapshot)}::jsonb)`)
  const row = await findPaper(paper.kind, paper.subjectId, database)
  invariant(row, `a paper that was issued is there: ${paper.subjectId}`)
  return row
}

function headOf(row: PaperRow, prefix: string) {
  const { id, userId, subjectId, locale, issuedAt } = row
  return { id, userId, subjectId, locale, issuedAt, number: paperNumber({ ...row, prefix }) }
}

function receiptOf(row: PaperRow): Receipt {
  const facts = receiptSnapshotSchema.parse(row.snapshot)
  return { ...headOf(row, facts.prefix), kind: 'receipt', facts }
}

function invoiceOf(row: PaperRow): Invoice {
  const facts = invoiceSnapshotSchema.parse(row.snapshot)
  return { ...headOf(row, facts.prefix), kind: 'invoice', facts }
}
