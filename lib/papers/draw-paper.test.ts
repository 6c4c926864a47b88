import { extractText, getDocumentProxy } from 'unpdf'
import { expect, test } from 'vitest'
import { drawPaper } from './draw-paper'
import type { Invoice, Receipt } from './snapshot'

async function read(pdf: Buffer): Promise<{ text: string; pages: number }> {
  const { text, totalPages } = await extractText(await getDocumentProxy(new Uint8Array(pdf)), { mergePages: true })
  return { text: text.replaceAll(/\s+/g, ' '), pages: totalPages }
}

const common = {
  prefix: 'R',
  seller: {
    name: 'Sluice Proxies OÜ',
    address: 'Narva mnt 5\nTallinn',
    taxId: 'EE100',
    email: 'a@b.test',
    note: 'Small print.',
  },
  currency: 'USD',
  factAt: new Date('2026-03-01T23:30:00Z'),
  totalMicros: 12_500_000n,
}
const head = {
  id: 'ppr_1',
  userId: 'usr_1',
  subjectId: 'pay_1',
  number: 'R-2026-000007',
  issuedAt: new Date('2026-03-02T00:10:00Z'),
}
const buyer = { name: '', company: '', address: '', country: '', taxId: '', username: 'anna' }
const receipt: Receipt = {
  ...head,
  kind: 'receipt',
  locale: 'en',
  facts: { ...common, buyer, provider: 'CryptoCloud', transactionId: 'INV-XYZ', paid: null },
}
const line = {
  product: 'Серверные IPv4',
  plan: 'Выделенный',
  country: 'Нидерланды',
  periodDays: 30,
  quantity: 3,
  unitPriceMicros: 4_333_334n,
  amountMicros: 13_000_002n,
}
const invoice: Invoice = {
  ...head,
  kind: 'invoice',
  locale: 'ru',
  facts: {
    ...common,
    buyer: {
      ...buyer,
      name: 'Анна Петрова-Водкина',
      company: 'ООО «Очень длинное название общества»'.repeat(3),
      country: 'Германия',
    },
    lines: [line],
    isRenewal: false,
    discountMicros: 500_002n,
    promotion: { code: 'SPRING', amountMicros: 100_000n },
    tax: { label: 'НДС', rateBasisPoints: 1900, netMicros: 10_500_000n, taxMicros: 2_000_000n },
  },
}

test('a Russian invoice prints Cyrillic names, exact prices, the tax and what was paid', async () => {
  const { text, pages } = await read(await drawPaper(invoice))
  expect(pages).toBe(1)
  for (const part of [
    'Счёт R-2026-000007',
    'Анна Петрова-Водкина',
    'Серверные IPv4',
    'Выделенный, Нидерланды, 30 дней',
    '4,333334 USD',
    '−0,500002 USD',
    'Промокод SPRING',
    '−0,10 USD',
    '12,50 USD',
    'В том числе НДС 19 %',
    'Narva mnt 5',
    '1 марта 2026 г.',
  ])
    expect(text).toContain(part)
})

test('an English receipt says what came, through whom, and prints nobody’s empty fields', async () => {
  const { text } = await read(await drawPaper(receipt))
  for (const part of [
    'Receipt R-2026-000007',
    'Paid through CryptoCloud',
    'Transaction INV-XYZ',
    '12.50 USD',
    '1 March 2026',
    'anna',
  ])
    expect(text).toContain(part)
  expect(text).not.toMatch(/[а-яё]/i)
  expect(text).not.toContain('Amount paid')
})

test('what was paid in another currency stands beside what was credited', async () => {
  const paid = { amountMicros: 1_050_000_000n, currency: 'RUB' }
  const { text } = await read(await drawPaper({ ...receipt, facts: { ...receipt.facts, paid } }))
  expect(text).toContain('Amount paid 1,050.00 RUB')
})

test('the same paper has the same bytes', async () => {
  expect((await drawPaper(receipt)).equals(await drawPaper(receipt))).toBe(true)
})

test('many lines go over several pages, each with its number', async () => {
  const long = { ...invoice, facts: { ...invoice.facts, lines: Array.from({ length: 60 }, () => line) } }
  const { text, pages } = await read(await drawPaper(long))
  expect(pages).toBeGreaterThan(2)
  expect(text).toContain(`Страница ${pages} из ${pages}`)
})
