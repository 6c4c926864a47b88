import { SYSTEM } from '@/lib/audit'
import { invariant } from '@/lib/kit'
import { saveSupplier } from '@/lib/provisioning'

type More = { costCurrency?: string; costRate?: string; isEnabled?: boolean }

/** Sets our account at a supplier up with these values and switches it on, by the command that admins use. */
export async function insertSupplier(supplier: string, values: Record<string, string>, more: More = {}): Promise<void> {
  const saved = await saveSupplier(SYSTEM, {
    supplier,
    isEnabled: more.isEnabled ?? true,
    values,
    costCurrency: more.costCurrency ?? null,
    costRate: more.costRate ?? null,
  })
  invariant(saved.ok, `${supplier} could be set up${saved.ok ? '' : `: ${saved.refusal.code}`}`)
}
