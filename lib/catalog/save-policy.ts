import { type Actor, recordAudit } from '@/lib/audit'
import { db, inTransaction, Prisma } from '@/lib/db'
import { accepted, newId, refused, type Refusal, type Result } from '@/lib/kit'
import { NO_POLICY, type Policy, policySchema } from './policy'
import { readCatalog } from './queries'

/**
 * Writes a new version of a product's policy; orders from now on go by it, earlier ones by theirs. Refuses `not_found`, and `changed_meanwhile`
 * when somebody else wrote one after the form was filled (`version` is the one the form showed, 0 for none).
 */
export async function savePolicy(
  actor: Actor & { id: string },
  input: { productId: string; version: number; rules: Policy },
): Promise<Result<{ policyId: string; version: number }, Refusal<'not_found' | 'changed_meanwhile'>>> {
  const rules = policySchema.parse(input.rules)
  const result = await inTransaction<{ policyId: string; version: number }, Refusal<'not_found' | 'changed_meanwhile'>>(
    async (tx) => {
      const products = await tx.$queryRaw<{ id: string }[]>(
        Prisma.sql`SELECT id FROM products WHERE id = ${input.productId} FOR NO KEY UPDATE`,
      )
      if (products.length === 0) return refused('not_found')
      const last = await tx.productPolicy.aggregate({ where: { productId: input.productId }, _max: { version: true } })
      if ((last._max.version ?? 0) !== input.version) return refused('changed_meanwhile')
      const policyId = newId('pcy')
      const version = input.version + 1
      await tx.productPolicy.create({
        data: { id: policyId, productId: input.productId, version, rules, createdBy: actor.id },
        select: { id: true },
      })
      await tx.product.update({ where: { id: input.productId }, data: { policyId }, select: { id: true } })
      await recordAudit(tx, actor, {
        action: 'catalog.policy_saved',
        subjectKind: 'product',
        subjectId: input.productId,
        data: { version },
      })
      return accepted({ policyId, version })
    },
  )
  await readCatalog({ fresh: true })
  return result
}

/** The policy that holds for new orders of a product, and its version (0: none was written). */
export async function findPolicy(input: { productId: string }): Promise<{ version: number; rules: Policy }> {
  const row = await db().productPolicy.findFirst({
    where: { productId: input.productId },
    orderBy: { version: 'desc' },
    select: { version: true, rules: true },
  })
  return row ? { version: row.version, rules: policySchema.parse(row.rules) } : { version: 0, rules: NO_POLICY }
}

/** The policy an order was bought under, as it was written that day. */
export async function readPolicy(policyId: string | null): Promise<Policy> {
  if (policyId === null) return NO_POLICY
  const row = await db().productPolicy.findUniqueOrThrow({ where: { id: policyId }, select: { rules: true } })
  return policySchema.parse(row.rules)
}
