import { type Actor, recordAudit } from '@/lib/audit'
import { inTransaction } from '@/lib/db'
import { accepted, newId, refused, type Refusal, type Result } from '@/lib/kit'
import { readCatalog } from './queries'
import { refuseTakenSlug } from './refuse-taken-slug'
import type { SaveProductInput } from './schemas'

/** Creates a product, or changes the one that is named. Refuses `slug_taken` and `not_found`. */
export async function saveProduct(
  actor: Actor,
  input: SaveProductInput,
): Promise<Result<{ productId: string }, Refusal<'slug_taken' | 'not_found'>>> {
  const result = await inTransaction<{ productId: string }, Refusal<'slug_taken' | 'not_found'>>(async (tx) => {
    const { productId, ...data } = input
    const taken = await tx.product.findUnique({ where: { slug: data.slug }, select: { id: true } })
    if (taken && taken.id !== productId) return refused('slug_taken')
    const id = productId ?? newId('prd')
    if (productId) {
      const changed = await tx.product.updateMany({ where: { id }, data })
      if (changed.count === 0) return refused('not_found')
    } else {
      await tx.product.create({ data: { id, ...data }, select: { id: true } })
    }
    await recordAudit(tx, actor, {
      action: productId ? 'catalog.product_changed' : 'catalog.product_created',
      subjectKind: 'product',
      subjectId: id,
      data: { slug: data.slug, isActive: data.isActive },
    })
    return accepted({ productId: id })
  }).catch(refuseTakenSlug)
  await readCatalog({ fresh: true })
  return result
}
