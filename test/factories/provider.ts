import { SYSTEM } from '@/lib/audit'
import { invariant } from '@/lib/kit'
import { saveProvider, type SaveProviderInput } from '@/lib/payments'

/** Sets a provider up with these values and switches it on, by the command that admins use. */
export async function insertProvider(
  provider: string,
  values: Record<string, string>,
  more: Partial<SaveProviderInput> = {},
): Promise<void> {
  const saved = await saveProvider(SYSTEM, {
    provider,
    isEnabled: true,
    values,
    minMicros: null,
    maxMicros: null,
    toleranceBasisPoints: 0,
    chargeCurrency: null,
    chargeRate: null,
    ...more,
  })
  invariant(saved.ok, `${provider} could be set up${saved.ok ? '' : `: ${saved.refusal.code}`}`)
}
