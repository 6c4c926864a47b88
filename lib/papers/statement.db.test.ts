import fc from 'fast-check'
import { extractText, getDocumentProxy } from 'unpdf'
import { expect, test } from 'vitest'
import { db, Prisma } from '@/lib/db'
import { DAY_MS, newId, parseAmount } from '@/lib/kit'
import { readStatementSpan } from '@/lib/ledger'
import { giveMoney, insertCustomer } from '@/test/factories/customer'
import { drawStatement, openStatement, statementCsv } from '.'

const DAY = new Date().toISOString().slice(0, 10)
/** To the day after, so that a test that crosses midnight finds what it booked. */
const today = (userId: string) => ({
  userId,
  from: DAY,
  to: new Date(Date.now() + DAY_MS).toISOString().slice(0, 10),
})

async function open(userId: string) {
  const opened = await openStatement(today(userId))
  if (!opened.ok) throw new Error(opened.refusal.code)
  return opened.value
}

async function csv(userId: string, locale = 'en'): Promise<{ text: string; rows: string[][] }> {
  let text = ''
  for await (const piece of statementCsv(await open(userId), locale)) text += piece
  const rows = text.slice(1).split('\r\n').slice(0, -1)
  return { text, rows: rows.map((row) => row.split(',')) }
}

/** Signed, exact. */
function microsOf(text: string): bigint {
  const micros = parseAmount(text.replace('-', ''))
  if (micros === null) throw new Error(`no amount: ${text}`)
  return text.startsWith('-') ? -micros : micros
}

/** Movements by one statement in the database: thousands through commands would take the test's minute. */
async function insertMovements(userId: string, count: number): Promise<void> {
  await db().$executeRaw(Prisma.sql`
    SELECT count(*) FROM generate_series(1, ${count}::int) n, LATERAL ledger_post('adjustment:' || ${newId('req')} || n, ledger_account('shop', 'adjustments', 'USD'),
      ledger_account(${userId}, 'customer_balance', 'USD'), n, 'USD', 'adjustment', ${userId}, NULL, now())`)
}

test('opening and every movement make closing, exact to the micro, each line the balance after it', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.bigInt(1n, 10n ** 9n), { maxLength: 6 }), async (amounts) => {
      const { id } = await insertCustomer()
      for (const amount of amounts) await giveMoney(id, amount)
      const { rows } = await csv(id)
      const [opening, ...rest] = rows.slice(1)
      const closing = rest.pop()!
      let balance = microsOf(opening![5]!)
      expect(balance).toBe(0n)
      for (const row of rest) {
        balance += microsOf(row[4]!)
        expect(microsOf(row[5]!)).toBe(balance)
      }
      expect(rest).toHaveLength(amounts.length)
      expect(microsOf(closing[5]!)).toBe(balance)
    }),
    { numRuns: 15 },
  )
})

test('Russian begins with the mark that Excel needs, and says causes in words', async () => {
  const { id } = await insertCustomer({ locale: 'ru' })
  await giveMoney(id, 1_234_567n)
  const { text, rows } = await csv(id, 'ru')
  expect(text.startsWith('\ufeff')).toBe(true)
  expect(rows[0]).toContain('Причина')
  expect(rows[2]).toEqual([
    expect.any(String),
    expect.any(String),
    'Поправка сотрудника',
    id,
    '1.234567',
    '1.234567',
    'USD',
  ])
})

test('many pages of movements, each once and in order', async () => {
  const { id } = await insertCustomer()
  await insertMovements(id, 2_501)
  const { rows } = await csv(id)
  expect(rows.slice(2, -1).map((row) => microsOf(row[4]!))).toEqual(
    Array.from({ length: 2_501 }, (_, index) => BigInt(index + 1)),
  )
})

test('spans that meet share a balance, and what is booked later is not in an older span', async () => {
  const { id } = await insertCustomer()
  await insertMovements(id, 3)
  const from = new Date(`${DAY}T00:00:00Z`)
  // The first millisecond after the booking as the database kept it, which rounds.
  const [booked] = await db().$queryRaw<{ until: Date }[]>(Prisma.sql`
    SELECT max(e.created_at) + interval '1 millisecond' AS until FROM ledger_entries e JOIN ledger_accounts a ON a.id = e.account_id WHERE a.owner = ${id}`)
  const { until } = booked!
  await new Promise((resolve) => setTimeout(resolve, 5))
  await insertMovements(id, 2)
  const first = await readStatementSpan({ userId: id, from, until })
  const second = await readStatementSpan({ userId: id, from: until, until: new Date(Date.now() + 1000) })
  expect([first.count, second.count]).toEqual([3, 2])
  expect(second.openingMicros).toBe(first.closingMicros)
  expect([first.openingMicros, first.closingMicros, second.closingMicros]).toEqual([0n, 6n, 9n])
})

test('a span that makes no sense is refused', async () => {
  const { id } = await insertCustomer()
  const ask = async (from: string, to: string) => {
    const opened = await openStatement({ userId: id, from, to })
    return opened.ok ? 'ok' : opened.refusal.code
  }
  for (const [from, to] of [
    ['2026-02-02', '2026-02-01'],
    ['2026-02-30', '2026-03-01'],
    ['', ''],
    ['1999-12-31', '2000-01-01'],
    ['+12026-01-01', '2026-01-01'],
    ["2026-01-01'", '2026-01-02'],
  ] as const)
    expect(await ask(from, to), `${from} ${to}`).toBe('span_invalid')
  expect(await ask('2016-01-01', '2025-12-31')).toBe('ok')
  expect(await ask('2016-01-01', '2026-01-01')).toBe('span_too_long')
  expect(await ask('2026-01-01', '2026-01-01')).toBe('ok')
  // The last day that a year of four digits has; its end lies in the next.
  expect(await ask('9999-12-31', '9999-12-31')).toBe('ok')
})

test('the PDF prints movements in Cyrillic on numbered pages; above its limit it points at the table', async () => {
  const { id, username } = await insertCustomer({ locale: 'ru' })
  await insertMovements(id, 120)
  const drawn = await drawStatement(await open(id), { locale: 'ru', holder: username, madeAt: new Date(0) })
  if (!drawn.ok) throw new Error(drawn.refusal.code)
  const { text, totalPages } = await extractText(await getDocumentProxy(new Uint8Array(drawn.value)), {
    mergePages: true,
  })
  expect(totalPages).toBeGreaterThan(2)
  for (const part of [
    'Выписка',
    'Остаток на начало',
    'Поправка сотрудника',
    '0,00012 USD',
    'Остаток на конец',
    username,
  ])
    expect(text).toContain(part)
  await insertMovements(id, 4_900)
  expect(await drawStatement(await open(id), { locale: 'ru', holder: username, madeAt: new Date(0) })).toMatchObject({
    refusal: { code: 'too_many_lines', facts: { lines: 5_020, max: 5_000 } },
  })
})

test('a text that a spreadsheet would run stays a text', async () => {
  const { id } = await insertCustomer()
  await db().$executeRaw(Prisma.sql`
    SELECT outcome FROM ledger_post(${newId('req')}, ledger_account('shop', 'adjustments', 'USD'), ledger_account(${id}, 'customer_balance', 'USD'), 5, 'USD',
      'adjustment', '=HYPERLINK("http://evil.test")', NULL, now())`)
  const { rows } = await csv(id)
  expect(rows[2]![3]).toBe(`"'=HYPERLINK(""http://evil.test"")"`)
})
