import { translator } from '@/i18n/translator'
import { amountText, csvCell } from '@/lib/kit'
import type { Statement } from './statement-span'
import { sayCause, sayMoment } from './statement-words'

/** Without it, Excel takes UTF-8 for the system's own alphabet. */
const BYTE_ORDER_MARK = '\ufeff'
/** How many lines are handed on at once: a piece of some tens of kilobytes. */
const LINES_AT_ONCE = 500

/**
 * A statement as CSV (RFC 4180), piece by piece: a line for the balance before, one per movement, one for the balance after. Amounts are plain
 * decimals, exact to the micro. Only a page of movements is in memory at a time.
 */
export async function* statementCsv(statement: Statement, locale: string): AsyncGenerator<string> {
  const say = translator(locale, 'papers')
  const { currency } = statement
  // An amount is written by us and stays a number, also with a minus before it; every text goes through csvCell.
  const row = (texts: string[], amounts: string[]) => `${[...texts.map(csvCell), ...amounts, currency].join(',')}\r\n`
  const heads = ['time', 'happened', 'cause', 'reference', 'amount', 'after', 'currency'] as const
  let piece = `${BYTE_ORDER_MARK}${heads.map((head) => csvCell(say(head))).join(',')}\r\n`
  piece += row([statement.from, '', say('opening'), ''], ['', amountText(statement.openingMicros)])
  let pending = 0
  for await (const line of statement.lines()) {
    piece += row(
      [sayMoment(line.bookedAt), sayMoment(line.happenedAt), sayCause(line.cause, locale), line.sourceId],
      [amountText(line.amountMicros), amountText(line.balanceAfterMicros)],
    )
    pending += 1
    if (pending === LINES_AT_ONCE) {
      yield piece
      piece = ''
      pending = 0
    }
  }
  yield piece + row([statement.to, '', say('closing'), ''], ['', amountText(statement.closingMicros)])
}
