import { Client } from 'pg'
import { expect, test } from 'vitest'
import { SYSTEM } from '@/lib/audit'
import { db, Prisma } from '@/lib/db'
import { updateProfile } from '@/lib/identity'
import { newId } from '@/lib/kit'
import { findOrder, placeOrder, renewOrder } from '@/lib/orders'
import { deliverOrder } from '@/lib/provisioning'
import { makePlan, orderFor } from '@/test/factories/catalog'
import { insertCustomer } from '@/test/factories/customer'
import { makePromotion } from '@/test/factories/promotions'
import {
  type Invoice,
  issueDue,
  issueInvoice,
  issueReceipt,
  issueRenewalInvoice,
  paperSeller,
  paperTax,
  type Receipt,
  saveBillingProfile,
} from '.'

const YEAR = new Date().getUTCFullYear()

/** A payment as if its provider had just confirmed it: by insert and the function that credits, because no provider is needed to print. */
async function insertCredited(userId: string, micros = 20_000_000n): Promise<string> {
  const id = await insertPayment(userId, micros)
  await db().$queryRaw(
    Prisma.sql`SELECT outcome FROM credit_payment(${id}, ${`fpi_${id}`}, ${micros}, ${micros}, now())`,
  )
  return id
}

async function insertPayment(userId: string, micros = 20_000_000n): Promise<string> {
  const id = newId('pay')
  await db().payment.create({
    data: {
      id,
      userId,
      provider: 'fakepay',
      requestedMicros: micros,
      currency: 'USD',
      chargeMicros: micros,
      chargeCurrency: 'USD',
      requestKey: id,
    },
    select: { id: true },
  })
  return id
}

async function receipt(paymentId: string, userId?: string): Promise<Receipt> {
  const result = await issueReceipt({ paymentId, userId })
  if (!result.ok) throw new Error(result.refusal.code)
  return result.value
}

async function invoice(orderId: string): Promise<Invoice> {
  const result = await issueInvoice({ orderId })
  if (!result.ok) throw new Error(result.refusal.code)
  return result.value
}

async function order(userId: string, quantity = 2): Promise<string> {
  const plan = await makePlan({ units: 20 })
  const placed = await placeOrder({ id: userId }, await orderFor(plan, quantity))
  if (!placed.ok) throw new Error(placed.refusal.code)
  return placed.value.orderId
}

async function numbers(kind: string): Promise<number[]> {
  const rows = await db().paper.findMany({ where: { kind, year: YEAR }, select: { number: true } })
  return rows.map(({ number }) => number).toSorted((a, b) => a - b)
}
const upTo = (count: number) => Array.from({ length: count }, (_, index) => index + 1)

test('fifty receipts at once, each asked for twice: numbers without a gap, one paper per payment', async () => {
  const customer = await insertCustomer()
  const payments: string[] = []
  for (let count = 0; count < 50; count += 1) payments.push(await insertCredited(customer.id))
  const before = (await numbers('receipt')).length
  const issued = await Promise.all([...payments, ...payments].map((id) => receipt(id)))
  expect(await numbers('receipt')).toEqual(upTo(before + 50))
  expect(issued.slice(0, 50)).toEqual(issued.slice(50))
  expect(issued.map(({ subjectId }) => subjectId)).toEqual([...payments, ...payments])
})

test('a transaction that rolls back takes its number back', async () => {
  const customer = await insertCustomer()
  const paymentId = await insertCredited(customer.id)
  const before = (await numbers('receipt')).length
  await expect(
    db().$transaction(async (tx) => {
      await tx.$queryRaw(Prisma.sql`
        SELECT outcome FROM issue_paper(${newId('ppr')}, 'receipt', ${customer.id}, ${paymentId}, 'en', '{}'::jsonb)`)
      throw new Error('the process died here')
    }),
  ).rejects.toThrow('the process died here')
  expect(await numbers('receipt')).toEqual(upTo(before))
  expect((await receipt(paymentId)).number).toBe(`R-${YEAR}-${String(before + 1).padStart(6, '0')}`)
})

test('processes that are killed while they issue, among others that do not, leave no gap', async () => {
  const customer = await insertCustomer()
  const before = (await numbers('receipt')).length
  const payments: string[] = []
  for (let count = 0; count < 12; count += 1) payments.push(await insertCredited(customer.id))
  // Connections of their own: those of the shop may all be waiting for the counter that a killed one holds.
  const connect = async () => {
    const client = new Client({ connectionString: process.env.DATABASE_URL })
    client.on('error', () => {})
    await client.connect()
    return client
  }
  const killer = await connect()
  /** Has its number, and holds the counter, when its connection is cut. */
  const killed = async (paymentId: string) => {
    const client = await connect()
    const { rows } = await client.query<{ pid: number }>('SELECT pg_backend_pid() AS pid')
    await client.query('BEGIN')
    await client.query(`SELECT outcome FROM issue_paper($1, 'receipt', $2, $3, 'en', '{}')`, [
      newId('ppr'),
      customer.id,
      paymentId,
    ])
    const ended = new Promise((resolve) => client.once('end', resolve))
    await killer.query('SELECT pg_terminate_backend($1)', [rows[0]!.pid])
    await ended
  }
  await Promise.all(payments.map((paymentId, index) => (index % 3 === 0 ? killed(paymentId) : receipt(paymentId))))
  await killer.end()
  expect(await numbers('receipt')).toEqual(upTo(before + 8))
  await Promise.all(payments.map((paymentId) => receipt(paymentId)))
  expect(await numbers('receipt')).toEqual(upTo(before + 12))
})

test('a paper stays what it was, whatever changes later, and the database refuses to change it', async () => {
  const customer = await insertCustomer({ balanceMicros: 10_000_000n })
  await saveBillingProfile(customer.id, {
    name: 'Анна Петрова',
    company: '',
    address: 'Berlin',
    countryCode: 'DE',
    taxId: 'DE1',
  })
  await paperTax.save(SYSTEM, { rates: [{ country: 'DE', label: 'VAT', rateBasisPoints: 1900 }] })
  const paymentId = await insertCredited(customer.id)
  const orderId = await order(customer.id)
  await deliverOrder({ orderId })
  const first = [await receipt(paymentId), await invoice(orderId)]
  await saveBillingProfile(customer.id, { name: 'Other', company: 'X', address: '', countryCode: 'FR', taxId: '' })
  const changed = await updateProfile(customer.id, { username: `new${customer.id.slice(-12)}`, locale: 'ru' })
  expect(changed.ok).toBe(true)
  await paperTax.save(SYSTEM, { rates: [] })
  await paperSeller.save(SYSTEM, {
    name: 'Another seller',
    address: '',
    taxId: '',
    email: '',
    note: '',
    receiptPrefix: 'Q',
    invoicePrefix: 'Z',
  })
  expect([await receipt(paymentId), await invoice(orderId)]).toEqual(first)
  expect(first[1]!.facts).toMatchObject({
    buyer: { name: 'Анна Петрова', country: 'Germany', username: customer.username },
    tax: { label: 'VAT', rateBasisPoints: 1900, netMicros: 1_680_000n, taxMicros: 320_000n },
  })
  await expect(db().$executeRaw(Prisma.sql`UPDATE papers SET locale = 'en'`)).rejects.toThrow('append-only')
  await expect(db().$executeRaw(Prisma.sql`DELETE FROM papers`)).rejects.toThrow('append-only')
})

test('nothing is issued before the fact, and nothing of somebody else’s', async () => {
  const customer = await insertCustomer({ balanceMicros: 10_000_000n })
  const stranger = await insertCustomer()
  const open = await insertPayment(customer.id)
  expect(await issueReceipt({ paymentId: open })).toMatchObject({ refusal: { code: 'not_credited' } })
  const orderId = await order(customer.id)
  expect(await issueInvoice({ orderId })).toMatchObject({ refusal: { code: 'not_delivered' } })
  const paymentId = await insertCredited(customer.id)
  expect(await issueReceipt({ paymentId, userId: stranger.id })).toMatchObject({ refusal: { code: 'not_found' } })
  expect(await issueInvoice({ orderId, userId: stranger.id })).toMatchObject({ refusal: { code: 'not_found' } })
  expect(await issueReceipt({ paymentId: 'pay_none' })).toMatchObject({ refusal: { code: 'not_found' } })
})

test('each renewal has its invoice, over what it cost', async () => {
  const customer = await insertCustomer({ balanceMicros: 10_000_000n })
  const orderId = await order(customer.id)
  await deliverOrder({ orderId })
  const renewed = await renewOrder(customer, {
    orderId,
    periodDays: 30,
    totalMicros: 2_000_000n,
    requestKey: newId('req'),
  })
  if (!renewed.ok) throw new Error(renewed.refusal.code)
  const { renewalId } = renewed.value
  const paper = await issueRenewalInvoice({ renewalId, userId: customer.id })
  expect(paper).toMatchObject({
    value: { facts: { isRenewal: true, totalMicros: 2_000_000n, lines: [{ quantity: 2, periodDays: 30 }] } },
  })
  expect((await invoice(orderId)).facts.isRenewal).toBe(false)
  await issueDue({ everything: true })
  expect(await db().paper.count({ where: { subjectId: renewalId } })).toBe(1)
  expect(await issueRenewalInvoice({ renewalId, userId: 'usr_other' })).toMatchObject({
    refusal: { code: 'not_found' },
  })
})

test('the invoice of an order that came in part is over what was taken', async () => {
  const customer = await insertCustomer({ balanceMicros: 50_000_000n })
  const orderId = await order(customer.id, 11)
  const proxy = { host: '192.0.2.1', port: 8080, username: 'u', password: 'p', protocols: ['http'] }
  const proxies = Array.from({ length: 10 }, (_, index) => ({ ...proxy, supplierRef: `part-${orderId}-${index}` }))
  await db().$queryRaw(Prisma.sql`
    SELECT outcome FROM complete_delivery(${orderId}, NULL, NULL, NULL, NULL, ${JSON.stringify(proxies)}::jsonb)`)
  const { facts } = await invoice(orderId)
  const placed = (await findOrder({ orderId }))!
  expect(facts.totalMicros).toBe((placed.totalMicros * 10n) / 11n)
  expect(facts.lines).toMatchObject([{ quantity: 10, unitPriceMicros: 1_000_000n, amountMicros: 10_000_000n }])
  expect(facts.lines[0]!.amountMicros - facts.discountMicros).toBe(facts.totalMicros)
})

test('the job issues what is due, the oldest first, once; what cannot be issued keeps nobody waiting', async () => {
  await issueDue({ everything: true })
  const customer = await insertCustomer({ balanceMicros: 10_000_000n })
  const [one, two] = [await insertCredited(customer.id), await insertCredited(customer.id)]
  const orderId = await order(customer.id)
  await deliverOrder({ orderId })
  // A row without its customer cannot come from a command; it stands for whatever nobody thought of.
  const lost = await insertPayment(newId('usr'))
  await db().payment.update({
    where: { id: lost },
    data: { state: 'credited', creditedMicros: 1n, creditedAt: new Date(0) },
    select: { id: true },
  })
  await expect(issueDue({ everything: false })).rejects.toThrow('1 papers could not be issued')
  await expect(issueDue({ everything: false })).rejects.toThrow('1 papers could not be issued')
  const papers = await db().paper.findMany({
    where: { userId: customer.id },
    select: { subjectId: true },
    orderBy: [{ kind: 'desc' }, { number: 'asc' }],
  })
  expect(papers.map(({ subjectId }) => subjectId)).toEqual([one, two, orderId])
  expect(await numbers('invoice')).toEqual(upTo((await numbers('invoice')).length))
})

test('an invoice of an order that was bought with a code shows the price, the code’s part of what was delivered, and what was paid', async () => {
  const customer = await insertCustomer({ balanceMicros: 20_000_000n })
  const plan = await makePlan({ units: 12 })
  const { code } = await makePromotion({ kind: 'percent', percent: '20' })
  const choice = await orderFor(plan, 10)
  // 10.00 less 5 % for ten at once is 9.50, less 20 % is 7.60.
  const placed = await placeOrder(customer, { ...choice, promotionCode: code, totalMicros: 7_600_000n })
  if (!placed.ok) throw new Error(placed.refusal.code)
  const unit = await db().stockUnit.findFirstOrThrow({ where: { orderId: placed.value.orderId } })
  await db().stockUnit.update({ where: { id: unit.id }, data: { state: 'withdrawn', orderId: null } })
  await deliverOrder(placed.value)
  expect((await invoice(placed.value.orderId)).facts).toMatchObject({
    lines: [{ quantity: 9, amountMicros: 9_000_000n }],
    discountMicros: 450_000n,
    promotion: { code, amountMicros: 1_710_000n },
    totalMicros: 6_840_000n,
  })
})
