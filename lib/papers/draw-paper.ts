import { translator } from '@/i18n/translator'
import { formatMoney } from '@/lib/kit'
import { type Column, INK, LEFT, MUTED, RIGHT, Sheet, WIDTH } from './draw-page'
import type { Invoice, Receipt } from './snapshot'

const HALF = (WIDTH - 24) / 2
/** Where the sums begin: names to the left of it, amounts up to the right edge. */
const SUMS = { left: LEFT + WIDTH * 0.45, amount: 130 }

/**
 * Draws a paper as a PDF in the language it was issued in: A4, everything printed comes from the paper. The same paper has the same bytes.
 */
export async function drawPaper(paper: Receipt | Invoice): Promise<Buffer> {
  const { locale, facts } = paper
  const say = translator(locale, 'papers')
  const title = say(paper.kind, { number: paper.number })
  const sheet = new Sheet({ title, author: facts.seller.name, locale, madeAt: paper.issuedAt })
  drawHead(sheet, paper, title)
  drawParties(sheet, paper)
  if (paper.kind === 'receipt') drawReceipt(sheet, paper)
  else drawInvoice(sheet, paper)
  return sheet.finish({ note: facts.seller.note, pageOf: (page, pages) => say('pageOf', { page, pages }) })
}

/** A day as it is printed on papers: in UTC, because a paper's day must not depend on who looks. */
export function sayDay(date: Date, locale: string): string {
  return new Intl.DateTimeFormat(locale === 'en' ? 'en-GB' : locale, { dateStyle: 'long', timeZone: 'UTC' }).format(
    date,
  )
}

function drawHead(sheet: Sheet, paper: Receipt | Invoice, title: string): void {
  const { locale, facts } = paper
  const say = translator(locale, 'papers')
  sheet.y += sheet.write(facts.seller.name, { size: 11, face: 'strong', color: MUTED }) + 18
  sheet.y += sheet.write(title, { size: 20, face: 'strong' }) + 8
  const dates = [
    [say('issuedOn'), sayDay(paper.issuedAt, locale)],
    [say(dateWord(paper)), sayDay(facts.factAt, locale)],
  ] as const
  for (const [name, value] of dates) {
    sheet.write(name, { width: 130, color: MUTED })
    sheet.y += sheet.write(value, { x: LEFT + 130, width: WIDTH - 130 }) + 2
  }
  sheet.y += 18
}

/** What the paper's second date stands for. */
function dateWord(paper: Receipt | Invoice): 'receivedOn' | 'deliveredOn' | 'renewedOn' {
  if (paper.kind === 'receipt') return 'receivedOn'
  return paper.facts.isRenewal ? 'renewedOn' : 'deliveredOn'
}

function drawParties(sheet: Sheet, { locale, facts }: Receipt | Invoice): void {
  const say = translator(locale, 'papers')
  const { seller, buyer } = facts
  const taxId = (id: string) => (id === '' ? '' : say('taxId', { id }))
  const columns = [
    {
      x: LEFT,
      head: say('seller'),
      name: seller.name,
      lines: [seller.address, taxId(seller.taxId), seller.email],
    },
    {
      x: LEFT + HALF + 24,
      head: say('buyer'),
      name: buyer.company || buyer.name || buyer.username,
      lines: [
        buyer.company === '' ? '' : buyer.name,
        buyer.address,
        buyer.country,
        taxId(buyer.taxId),
        buyer.company || buyer.name ? say('account', { username: buyer.username }) : '',
      ],
    },
  ]
  const start = sheet.y
  let end = start
  for (const { x, head, name, lines } of columns) {
    let y = start
    y += sheet.write(head, { x, y, width: HALF, size: 8, color: MUTED }) + 4
    y += sheet.write(name, { x, y, width: HALF, size: 10.5, face: 'strong' }) + 3
    for (const line of lines) if (line !== '') y += sheet.write(line, { x, y, width: HALF }) + 1
    end = Math.max(end, y)
  }
  sheet.y = end + 28
}

function drawReceipt(sheet: Sheet, { locale, facts }: Receipt): void {
  const say = translator(locale, 'papers')
  const money = (micros: bigint, currency = facts.currency) => formatMoney(micros, currency, locale)
  const columns: Column[] = [
    { head: say('description'), width: WIDTH - 150 },
    { head: say('amount'), width: 150, align: 'right' },
  ]
  const paidBy = [
    say('paidBy', { provider: facts.provider }),
    facts.transactionId === '' ? '' : say('transaction', { id: facts.transactionId }),
    facts.paid ? say('paidOtherwise', { amount: money(facts.paid.amountMicros, facts.paid.currency) }) : '',
  ]
  sheet.head(columns)
  sheet.row(columns, [{ text: say('toBalance'), below: paidBy.filter(Boolean).join('\n') }, money(facts.totalMicros)])
  drawSum(sheet, say('credited'), money(facts.totalMicros), true)
  sheet.y += 14
  sheet.y += sheet.write(say('receiptNote'), { size: 8.5, color: MUTED, width: WIDTH })
}

function drawInvoice(sheet: Sheet, { locale, facts }: Invoice): void {
  const say = translator(locale, 'papers')
  const money = (micros: bigint) => formatMoney(micros, facts.currency, locale)
  const columns: Column[] = [
    { head: say('description'), width: WIDTH - 290 },
    { head: say('quantity'), width: 70, align: 'right' },
    { head: say('unitPrice'), width: 105, align: 'right' },
    { head: say('amount'), width: 115, align: 'right' },
  ]
  sheet.head(columns)
  for (const line of facts.lines)
    sheet.row(columns, [
      {
        text: facts.isRenewal ? say('renewalOf', { product: line.product }) : line.product,
        below: [line.plan, line.country, translator(locale, 'common')('days', { count: line.periodDays })].join(', '),
      },
      new Intl.NumberFormat(locale).format(line.quantity),
      money(line.unitPriceMicros),
      money(line.amountMicros),
    ])
  sheet.need(120)
  if (facts.discountMicros > 0n) drawSum(sheet, say('discount'), money(-facts.discountMicros))
  if (facts.promotion)
    drawSum(sheet, say('promotion', { code: facts.promotion.code }), money(-facts.promotion.amountMicros))
  drawSum(sheet, say('total'), money(facts.totalMicros), true)
  if (facts.tax) {
    const { label, rateBasisPoints, netMicros, taxMicros } = facts.tax
    const rate = new Intl.NumberFormat(locale, { style: 'percent', maximumFractionDigits: 2 }).format(
      rateBasisPoints / 10_000,
    )
    drawSum(sheet, say('net'), money(netMicros))
    drawSum(sheet, say('tax', { label, rate }), money(taxMicros))
  }
  drawSum(sheet, say('paidFromBalance'), money(facts.totalMicros))
  drawSum(sheet, say('toPay'), money(0n))
}

function drawSum(sheet: Sheet, name: string, amount: string, isStrong = false): void {
  const look = isStrong ? { face: 'strong' as const, size: 11 } : { color: INK }
  const height = sheet.write(name, { x: SUMS.left, width: RIGHT - SUMS.left - SUMS.amount - 10, ...look })
  sheet.write(amount, { x: RIGHT - SUMS.amount, width: SUMS.amount, align: 'right', ...look })
  sheet.y += height + 5
}
