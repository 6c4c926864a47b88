import { z } from 'zod'

const micros = z.string().regex(/^\d+$/).transform(BigInt)
const party = { name: z.string(), address: z.string(), taxId: z.string() }

/**
 * Every fact that a paper prints, as it is kept in its row. Fields are only ever added, with a value that old rows have, so that a paper of the
 * first day can still be drawn. Amounts are micros as text.
 */
const common = {
  prefix: z.string(),
  seller: z.object({ ...party, email: z.string(), note: z.string() }),
  buyer: z.object({ ...party, company: z.string(), country: z.string(), username: z.string() }),
  currency: z.string(),
  /** When the money came, when the order was handed over. */
  factAt: z.iso.datetime().transform((text) => new Date(text)),
  totalMicros: micros,
}

export const receiptSnapshotSchema = z.object({
  ...common,
  provider: z.string(),
  /** The provider's id of the payment; empty when it has none. */
  transactionId: z.string(),
  /** What was paid, where that differs from what was credited. */
  paid: z.object({ amountMicros: micros, currency: z.string() }).nullable(),
})

export const invoiceSnapshotSchema = z.object({
  ...common,
  lines: z.array(
    z.object({
      product: z.string(),
      plan: z.string(),
      country: z.string(),
      periodDays: z.number().int(),
      quantity: z.number().int(),
      unitPriceMicros: micros,
      amountMicros: micros,
    }),
  ),
  /** More time for what an order holds, rather than the order itself. */
  isRenewal: z.boolean().default(false),
  discountMicros: micros,
  /** What a code took off, beside the other discount; none in papers of before there were codes. */
  promotion: z.object({ code: z.string(), amountMicros: micros }).nullable().default(null),
  tax: z
    .object({ label: z.string(), rateBasisPoints: z.number().int(), netMicros: micros, taxMicros: micros })
    .nullable(),
})

export type ReceiptSnapshot = z.input<typeof receiptSnapshotSchema>
export type InvoiceSnapshot = z.input<typeof invoiceSnapshotSchema>

type Head = { id: string; userId: string; subjectId: string; number: string; locale: string; issuedAt: Date }
export type Receipt = Head & { kind: 'receipt'; facts: z.output<typeof receiptSnapshotSchema> }
export type Invoice = Head & { kind: 'invoice'; facts: z.output<typeof invoiceSnapshotSchema> }
export type PaperKind = 'receipt' | 'invoice'

/** A number as it is printed: "R-2026-000001". Longer numbers grow to the right. */
export function paperNumber(paper: { prefix: string; year: number; number: number }): string {
  return `${paper.prefix}-${paper.year}-${String(paper.number).padStart(6, '0')}`
}
