import { setImmediate } from 'node:timers/promises'
import { translator } from '@/i18n/translator'
import { accepted, formatMoney, type Refusal, refused, type Result } from '@/lib/kit'
import { type Column, LEFT, MUTED, Sheet, WIDTH } from './draw-page'
import { sayDay } from './draw-paper'
import { paperSeller } from './paper-settings'
import type { Statement } from './statement-span'
import { sayCause, sayMoment } from './statement-words'
import { env } from '@/lib/env'

/** More than two hundred pages: more than anybody reads, and some seconds of drawing while somebody waits. */
const PDF_LINES_MAX = 5_000
/** How many lines are drawn before others of the same process have their turn. */
const LINES_AT_ONCE = 10

/**
 * A statement as PDF. Refuses `too_many_lines` above five thousand movements; those are for the CSV file. `holder` is whose balance it is, as
 * it shall stand on the paper.
 */
export async function drawStatement(
  statement: Statement,
  input: { locale: string; holder: string; madeAt: Date },
): Promise<Result<Buffer, Refusal<'too_many_lines'>>> {
  if (statement.count > PDF_LINES_MAX) return refused('too_many_lines', { lines: statement.count, max: PDF_LINES_MAX })
  const { locale, holder, madeAt } = input
  const say = translator(locale, 'papers')
  const seller = await paperSeller.read()
  const author = seller.name || env().SHOP_NAME
  const money = (micros: bigint) => formatMoney(micros, statement.currency, locale)
  const signed = (micros: bigint) => `${micros > 0n ? '+' : ''}${money(micros)}`
  const sheet = new Sheet({ title: say('statement'), author, locale, madeAt })
  const day = (text: string) => sayDay(new Date(`${text}T00:00:00Z`), locale)
  sheet.y += sheet.write(author, { size: 11, face: 'strong', color: MUTED }) + 18
  sheet.y += sheet.write(say('statement'), { size: 20, face: 'strong' }) + 6
  sheet.y += sheet.write(say('span', { from: day(statement.from), to: day(statement.to) }), {}) + 4
  sheet.y += sheet.write(holder, {}) + 18

  const columns: Column[] = [
    { head: say('time'), width: 110 },
    { head: say('cause'), width: WIDTH - 110 - 115 - 115 },
    { head: say('amount'), width: 115, align: 'right' },
    { head: say('after'), width: 115, align: 'right' },
  ]
  sheet.head(columns)
  const strong = { face: 'strong' as const, size: 9 }
  sheet.row(columns, ['', say('opening'), '', money(statement.openingMicros)], strong)
  let drawn = 0
  for await (const line of statement.lines()) {
    sheet.row(
      columns,
      [
        sayMoment(line.bookedAt),
        { text: sayCause(line.cause, locale), below: line.sourceId },
        signed(line.amountMicros),
        money(line.balanceAfterMicros),
      ],
      { size: 8.5 },
    )
    drawn += 1
    if (drawn % LINES_AT_ONCE === 0) await setImmediate()
  }
  if (drawn === 0) sheet.y += sheet.write(say('noLines'), { x: LEFT, color: MUTED }) + 8
  sheet.row(columns, ['', say('closing'), '', money(statement.closingMicros)], strong)
  return accepted(await sheet.finish({ note: seller.note, pageOf: (page, pages) => say('pageOf', { page, pages }) }))
}
