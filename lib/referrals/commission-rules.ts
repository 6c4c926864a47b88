import { type Actor, recordAudit } from '@/lib/audit'
import { db, inTransaction, Prisma } from '@/lib/db'
import { accepted, newId, refused, type Refusal, type Result } from '@/lib/kit'

export type CommissionTerms = {
  basis: 'orders' | 'first_top_up'
  /** Null: every product that has no rule of its own. */
  productId: string | null
  /** Hundredths of a percent; 0 says that nothing is earned here. */
  basisPoints: number
  /** So many days after sign-up; null: for ever. */
  forDays: number | null
  /** The most one referred person brings, and the most one referrer earns in a calendar month; null: no bound. */
  personCapMicros: bigint | null
  monthCapMicros: bigint | null
}
export type CommissionRule = CommissionTerms & { id: string; fromAt: Date; productName: string | null }

/**
 * Puts a rule in force from now on: the one before it for the same basis and product ends in this moment, and what was paid until then is still
 * earned by it. Without `terms` the rule just ends. Refuses `not_found` for a product that is not there. Bounds are the schema's (at most 50 %).
 */
export async function saveCommissionRule(
  actor: Actor,
  where: { basis: CommissionTerms['basis']; productId: string | null },
  terms: Omit<CommissionTerms, 'basis' | 'productId'> | null,
): Promise<Result<{ ruleId: string | null }, Refusal<'not_found'>>> {
  return inTransaction<{ ruleId: string | null }, Refusal<'not_found'>>(async (tx) => {
    // One change at a time: two would both find the same rule to end.
    await tx.$executeRaw(Prisma.sql`SELECT pg_advisory_xact_lock(hashtext('sluice.referral_rules'))`)
    if (where.productId !== null && (await tx.product.count({ where: { id: where.productId } })) === 0)
      return refused('not_found')
    const now = new Date()
    await tx.referralRule.updateMany({ where: { ...where, untilAt: null }, data: { untilAt: now } })
    const id = newId('rru')
    if (terms)
      await tx.referralRule.create({
        data: { id, ...where, ...terms, createdBy: actor.kind === 'system' ? null : actor.id, fromAt: now },
        select: { id: true },
      })
    await recordAudit(tx, actor, {
      action: 'referrals.rule_changed',
      subjectKind: 'referral_rule',
      subjectId: id,
      data: { ...where, basisPoints: terms?.basisPoints ?? null },
    })
    return accepted({ ruleId: terms ? id : null })
  })
}

/** The rules in force: those for all products first. */
export async function listCommissionRules(): Promise<CommissionRule[]> {
  return db().$queryRaw<CommissionRule[]>(Prisma.sql`
    SELECT r.id, r.basis, r.product_id AS "productId", p.slug AS "productName", r.basis_points AS "basisPoints", r.for_days AS "forDays",
           r.person_cap_micros AS "personCapMicros", r.month_cap_micros AS "monthCapMicros", r.from_at AS "fromAt"
    FROM referral_rules r LEFT JOIN products p ON p.id = r.product_id WHERE r.until_at IS NULL
    ORDER BY r.basis, r.product_id IS NOT NULL, p.slug`)
}
