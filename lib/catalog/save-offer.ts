import { type Actor, recordAudit } from '@/lib/audit'
import { inTransaction } from '@/lib/db'
import { accepted, newId, refused, type Refusal, type Result } from '@/lib/kit'
import { readCatalog } from './queries'
import type { SaveOfferInput } from './schemas'

/** Creates an offer behind a plan, or changes the one that is named. A supplier of an existing offer is not exchanged: that is a new offer. */
export async function saveOffer(
  actor: Actor,
  input: SaveOfferInput,
): Promise<Result<{ offerId: string }, Refusal<'not_found'>>> {
  const result = await inTransaction<{ offerId: string }, Refusal<'not_found'>>(async (tx) => {
    const { offerId, px6Version, supplier, planId, ...data } = input
    const plan = await tx.plan.findUnique({ where: { id: planId }, select: { id: true } })
    if (!plan) return refused('not_found')
    const id = offerId ?? newId('ofr')
    // What the form does not ask for stays as it is.
    const supplierParams = supplier === 'px6' ? { version: px6Version ?? '4' } : undefined
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
