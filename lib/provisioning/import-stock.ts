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

/**
 * Takes the lines that can be understood into the stock of an offer, and leaves the others. Lines of an import that runs at the same time
 * are decided by the unique key over host, port and login. Refuses `not_found` (no such stock offer) and `nothing_to_import`.
 */
export async function importStock(
  actor: Actor & { id: string },
  input: { offerId: string; text: string },
): Promise<Result<{ importId: string; added: number; skipped: number }, Refusal<'not_found' | 'nothing_to_import'>>> {
  const lines = await markKnown(parseStock(input.text))
  const units = lines.flatMap((line) => (line.unit ? [line.unit] : []))
  return inTransaction<
    { importId: string; added: number; skipped: number },
    Refusal<'not_found' | 'nothing_to_import'>
  >(async (tx) => {
    const offer = await tx.offer.findFirst({ where: { id: input.offerId, supplier: 'stock' }, select: { id: true } })
    if (!offer) return refused('not_found')
    const importId = newId('imp')
    await tx.stockImport.create({
      data: { id: importId, offerId: offer.id, importedBy: actor.id, added: 0, skipped: 0 },
      select: { id: true },
    })
    // Imports take turns: two that hold the same lines in another order would wait for each other for ever.
    await tx.$queryRaw(Prisma.sql`SELECT pg_advisory_xact_lock(hashtextextended('stock_import', 0))::text`)
    // One statement: by createMany twenty thousand lines take as long as the whole transaction may.
    const rows = JSON.stringify(units.map((unit) => ({ id: newId('stk'), ...unit })))
    const added = await tx.$executeRaw(Prisma.sql`
      INSERT INTO stock_units (id, offer_id, import_id, host, port, username, password, protocols)
      SELECT id, ${offer.id}, ${importId}, host, port, username, password, protocols
      FROM jsonb_to_recordset(${rows}::jsonb)
        AS unit(id text, host text, port int, username text, password text, protocols text[])
      ON CONFLICT (host, port, username) DO NOTHING`)
    if (added === 0) return refused('nothing_to_import')
    const skipped = lines.length - added
    await tx.stockImport.update({ where: { id: importId }, data: { added, skipped }, select: { id: true } })
    await recordAudit(tx, actor, {
      action: 'provisioning.stock_imported',
      subjectKind: 'offer',
      subjectId: offer.id,
      data: { importId, added, skipped },
    })
    return accepted({ importId, added, skipped })
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
    const state = states.get(`${line.unit.host}:${line.unit.port}:${line.unit.username}`)
    if (state === undefined) return line
    return {
      ...line,
      unit: null,
      problem: state === 'sold' || state === 'reserved' ? 'already_sold' : 'already_in_stock',
    }
  })
}
