import { type Actor, recordAudit } from '@/lib/audit'
import { inTransaction } from '@/lib/db'
import { accepted, newId, refused, type Refusal, type Result } from '@/lib/kit'
import { findSupplierDefinition, readOfferParams } from '@/lib/suppliers'
import { readCatalog } from './queries'
import type { SaveOfferInput } from './schemas'

type SaveOfferRefusal = Refusal<'not_found' | 'param_missing' | 'param_malformed'>

/**
 * Creates an offer behind a plan, or changes the one that is named. A supplier of an existing offer is not exchanged: that is a new offer. What it says to
 * its supplier is read by that supplier's own rules; `param_missing` and `param_malformed` name the `field`.
 */
export async function saveOffer(
  actor: Actor,
  input: SaveOfferInput,
): Promise<Result<{ offerId: string }, SaveOfferRefusal>> {
  const { offerId, params, supplier, planId, ...data } = input
  const read = readParams(supplier, params, offerId === undefined)
  if (!read.ok) return read
  const supplierParams = read.value
  const result = await inTransaction<{ offerId: string }, SaveOfferRefusal>(async (tx) => {
    const plan = await tx.plan.findUnique({ where: { id: planId }, select: { id: true } })
    if (!plan) return refused('not_found')
    const id = offerId ?? newId('ofr')
    if (offerId) {
      const changed = await tx.offer.updateMany({ where: { id, planId, supplier }, data: { ...data, supplierParams } })
      if (changed.count === 0) return refused('not_found')
    } else {
      await tx.offer.create({ data: { id, planId, supplier, supplierParams, ...data }, select: { id: true } })
    }
    await recordAudit(tx, actor, {
      action: offerId ? 'catalog.offer_changed' : 'catalog.offer_created',
      subjectKind: 'offer',
      subjectId: id,
      data: { supplier, countryCode: data.countryCode, isActive: data.isActive },
    })
    return accepted({ offerId: id })
  })
  await readCatalog({ fresh: true })
  return result
}

/** Undefined: what the offer says stays as it is. */
function readParams(
  supplier: string,
  typed: Record<string, string> | undefined,
  isNew: boolean,
): Result<Record<string, string | number | object> | undefined, Refusal<'param_missing' | 'param_malformed'>> {
  const definition = findSupplierDefinition(supplier)
  if (!definition || (!typed && !isNew)) return accepted(undefined)
  const read = readOfferParams(definition, typed ?? {})
  if ('params' in read) return accepted(read.params as Record<string, string | number | object>)
  return refused(read.isMissing ? 'param_missing' : 'param_malformed', { field: `param.${supplier}.${read.wrong}` })
}
