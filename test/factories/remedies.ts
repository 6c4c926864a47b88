import { COMMON_POLICY, findPlan, type Policy, savePolicy } from '@/lib/catalog'
import { db } from '@/lib/db'
import { newId } from '@/lib/kit'
import { makePlan, type PlanOnSale } from './catalog'

const STAFF = { kind: 'staff' as const, id: 'usr_test' }

/** A plan whose product has a policy: the common one, or another. */
export async function planWithPolicy(rules: Policy = COMMON_POLICY, units = 20): Promise<PlanOnSale> {
  const plan = await makePlan({ units })
  const { product } = (await findPlan(plan.planId, { fresh: true }))!
  const saved = await savePolicy(STAFF, { productId: product.id, version: 0, rules })
  if (!saved.ok) throw new Error(saved.refusal.code)
  return plan
}

/** As the checks of lib/checks would have left it. */
export async function checked(
  orderId: string,
  allocationId: string,
  checks: { at: Date; ok: boolean }[],
): Promise<void> {
  const last = checks.at(-1)!
  const found = (ok: boolean) => (ok ? { exitAddress: '192.0.2.1', latencyMs: 5 } : { failure: 'timeout' as const })
  const rows = checks.map(({ at, ok }) => ({
    id: newId('chk'),
    allocationId,
    orderId,
    kind: 'schedule',
    at,
    ok,
    ...found(ok),
  }))
  await db().proxyCheck.createMany({ data: rows })
  const state = {
    orderId,
    lastCheckId: rows.at(-1)!.id,
    lastOk: last.ok,
    lastAt: last.at,
    failingSince: last.ok ? null : last.at,
  }
  await db().proxyHealth.upsert({ where: { allocationId }, create: { allocationId, ...state }, update: state })
}
