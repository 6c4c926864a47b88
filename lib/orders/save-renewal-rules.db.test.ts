import { expect, test } from 'vitest'
import { findPlan, savePlan } from '@/lib/catalog'
import { db } from '@/lib/db'
import { newId } from '@/lib/kit'
import { makePlan } from '@/test/factories/catalog'
import { renewalRules, saveRenewalRules } from '.'

const STAFF = { kind: 'staff' as const, id: newId('usr') }
const RULES = { leadHours: 24, graceHours: 48, retryHours: 4 }

test('a lead as long as the shortest period on sale is refused, a shorter one holds and is in the audit', async () => {
  const { planId } = await makePlan()
  const found = (await findPlan(planId, { fresh: true }))!
  const saved = await savePlan(STAFF, {
    planId,
    revision: found.plan.revision,
    productId: found.product.id,
    slug: found.plan.slug,
    nameEn: found.plan.nameEn,
    nameRu: found.plan.nameRu,
    minQuantity: 1,
    maxQuantity: 10,
    isActive: true,
    periods: [{ days: 2, unitPriceMicros: 1_000_000n }],
    steps: [],
  })
  expect(saved.ok).toBe(true)
  expect(await saveRenewalRules(STAFF, { ...RULES, leadHours: 48 })).toMatchObject({
    refusal: { code: 'lead_too_long', facts: { days: 2 } },
  })
  expect(await renewalRules.readFresh()).toEqual(RULES)
  expect(await saveRenewalRules(STAFF, { ...RULES, leadHours: 47 })).toMatchObject({ ok: true })
  expect(await renewalRules.readFresh()).toMatchObject({ leadHours: 47 })
  const audits = await db().auditEntry.findMany({
    where: { actorId: STAFF.id, action: 'settings.changed' },
    select: { data: true },
  })
  expect(audits).toEqual([{ data: { fields: ['leadHours'] } }])
})
