import { type Actor, recordAudit } from '@/lib/audit'
import { db, inTransaction, Prisma } from '@/lib/db'
import { accepted, newId, refused, type Refusal, type Result } from '@/lib/kit'
import { parseStock, type StockLine, type StockLineProblem, type StockLineUnit } from './parse-stock'

export type PreviewLine =
  | { lineNumber: number; text: string; unit: StockLineUnit; problem: null }
  | { lineNumber: number; text: string; unit: null; problem: StockLineProblem | 'already_in_stock' | 'already_sold' }

export type StockPreview = { lines: PreviewLine[]; understood: number; refused: number }

/**
 * Says, line by line, what an import would do, and does nothing. Beside what parseStock finds, a proxy that is in stock or was sold already is
 * named as such: the same proxy must never be sold to two people.
 */
export async function previewStock(input: { text: string }): Promise<StockPreview> {
  const lines = await markKnown(parseStock(input.text))
  const understood = lines.filter((line) => line.problem === null).length
  return { lines, understood, refused: lines.length - understood }
}

/** `left`: the lines that were not taken in, with the reason of each. */
export type StockImported = { importId: string; added: number; skipped: number; left: PreviewLine[] }

/** Rows of one statement: what a parameter of a few megabytes holds. */
const UNITS_PER_STATEMENT = 20_000

const placeOf = (unit: StockLineUnit) => `${unit.host}:${unit.port}:${unit.username}`

/**
 * Takes the lines that can be understood into the stock of an offer, and leaves the others. Lines of an import that runs at the same time
 * are decided by the unique key over host, port and login. Which lines were left out and why stays with the import, without what stood in them. Refuses `not_found` (no such stock offer) and `nothing_to_import`.
 */
export async function importStock(
  actor: Actor & { id: string },
  input: { offerId: string; text: string },
): Promise<Result<StockImported, Refusal<'not_found' | 'nothing_to_import'>>> {
  const lines = await markKnown(parseStock(input.text))
  const units = lines.flatMap((line) => (line.unit ? [line.unit] : []))
  return inTransaction<StockImported, Refusal<'not_found' | 'nothing_to_import'>>(async (tx) => {
    const offer = await tx.offer.findFirst({ where: { id: input.offerId, supplier: 'stock' }, select: { id: true } })
    if (!offer) return refused('not_found')
    const importId = newId('imp')
    await tx.stockImport.create({
      data: { id: importId, offerId: offer.id, importedBy: actor.id, added: 0, skipped: 0 },
      select: { id: true },
    })
    // Imports take turns: two that hold the same lines in another order would wait for each other for ever.
    await tx.$queryRaw(Prisma.sql`SELECT pg_advisory_xact_lock(hashtextextended('stock_import', 0))::text`)
    const added = new Set<string>()
    // By large statements: by createMany twenty thousand lines take as long as the whole transaction may.
    for (let start = 0; start < units.length; start += UNITS_PER_STATEMENT) {
      const rows = JSON.stringify(
        units.slice(start, start + UNITS_PER_STATEMENT).map((unit) => ({ id: newId('stk'), ...unit })),
      )
      const taken = await tx.$queryRaw<{ key: string }[]>(Prisma.sql`
        INSERT INTO stock_units (id, offer_id, import_id, host, port, username, password, protocols)
        SELECT id, ${offer.id}, ${importId}, host, port, username, password, protocols
        FROM jsonb_to_recordset(${rows}::jsonb)
          AS unit(id text, host text, port int, username text, password text, protocols text[])
        ON CONFLICT (host, port, username) DO NOTHING RETURNING host || ':' || port || ':' || username AS key`)
      for (const { key } of taken) added.add(key)
    }
    if (added.size === 0) return refused('nothing_to_import')
    const left = lines.flatMap((line) =>
      line.unit && added.has(placeOf(line.unit))
        ? []
        : [{ ...line, problem: line.problem ?? ('already_in_stock' as const), unit: null }],
    )
    const skipped = left.length
    await tx.stockImport.update({
      where: { id: importId },
      data: { added: added.size, skipped, refused: left.map((line) => [line.lineNumber, line.problem]) },
      select: { id: true },
    })
    await recordAudit(tx, actor, {
      action: 'provisioning.stock_imported',
      subjectKind: 'offer',
      subjectId: offer.id,
      data: { importId, added: added.size, skipped },
    })
    return accepted({ importId, added: added.size, skipped, left })
  })
}

async function markKnown(lines: StockLine[]): Promise<PreviewLine[]> {
  const hosts = [...new Set(lines.flatMap((line) => (line.unit ? [line.unit.host] : [])))]
  if (hosts.length === 0) return lines
  const known = await db().$queryRaw<{ key: string; state: string }[]>(Prisma.sql`
    SELECT host || ':' || port || ':' || username AS key, state FROM stock_units WHERE host = ANY (${hosts})`)
  const states = new Map(known.map((unit) => [unit.key, unit.state]))
  return lines.map((line) => {
    if (!line.unit) return line
    const state = states.get(placeOf(line.unit))
    if (state === undefined) return line
    return {
      ...line,
      unit: null,
      problem: state === 'sold' || state === 'reserved' ? 'already_sold' : 'already_in_stock',
    }
  })
}
